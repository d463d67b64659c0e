//! The client's state machine: whatever servers answer, it comes to an end, the token stays at its
//! origin, and what it signs is a proof for that request. The input is read octet by octet.
#![no_main]

use keybound_core::{
    algorithm::Algorithm,
    client::{
        Answer, BodyKind, ClientError, Command, Event, Exchange, Policy, Preparation, RequestHead, Token, TokenAnswer,
    },
    key::PublicKey,
    nonce_syntax::is_nonce,
    proof::{
        build::ProofTemplate,
        check::{self, ExpectedRequest, ProofPolicy},
    },
    target_uri::{RequestTarget, TargetUri, for_request},
    time::Timestamp,
};
use keybound_fuzz::world;
use libfuzzer_sys::{arbitrary::Unstructured, fuzz_target};

const ORIGIN: &str = "https://api.example";
/// Nonce, another token and five redirects, and some to spare.
const MOST_SENT: usize = 12;

fuzz_target!(|data: &[u8]| {
    let _ = drive(&mut Unstructured::new(data));
});

fn drive(input: &mut Unstructured<'_>) -> libfuzzer_sys::arbitrary::Result<()> {
    let server =
        if input.arbitrary()? { Policy::resource_server([ORIGIN]) } else { Policy::authorization_server([ORIGIN]) };
    let accept_bearer = input.arbitrary()?;
    let policy = server.expect("a policy").strict(input.arbitrary()?).dangerously_accept_bearer(accept_bearer);
    let method = *input.choose(&["GET", "POST", "HEAD", "get", "G T", ""])?;
    let given = text(
        input,
        &["https://api.example/items", "https://API.example:443", "https://elsewhere.example/", "http://api.example/"],
    )?;
    let mut url = given.clone();
    let head = RequestHead {
        content_type: *input.choose(&[
            None,
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            Some("text/plain"),
        ])?,
        authorization: *input.choose(&[None, Some("Basic dTpw"), Some("DPoP x"), Some("Bearer x")])?,
        has_proof: input.ratio(1, 8)?,
        ..RequestHead::new(method, &given)
    };
    let key = PublicKey::from_jwk(&world::clients(b'1').0.jwk).expect("our own");
    let template = ProofTemplate::new(Algorithm::Es256, key).expect("ES256 with P-256");
    let (mut exchange, mut command) = Exchange::begin(&policy, &head);
    let (mut sent, mut status) = (0, 0);
    let mut location = String::new();
    let mut now = 1_780_000_000_i64;
    loop {
        if input.is_empty() {
            return Ok(());
        }
        if input.ratio(1, 32)? {
            // An answer to no question ends it.
            assert_eq!(out_of_turn(&mut exchange, &command), Command::Fail(ClientError::OutOfTurn));
            return Ok(());
        }
        command = match command {
            Command::AskToken { .. } => {
                let token = text(input, &["2YotnFZFEjr1zCsicMWpAA", "another", "a b", ""])?;
                let answer = Token {
                    token_type: *input.choose(&[None, Some("DPoP"), Some("dpop"), Some("Bearer")])?,
                    thumbprint: input.ratio(1, 8)?.then_some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
                    ..Token::new(&token)
                };
                let nobody = input.ratio(1, 8)?;
                exchange.handle(Event::Token(Some(answer).filter(|_| !nobody)))
            }
            Command::Prepare => {
                assert_eq!(for_request(&url).map(|target| target.origin()).as_deref(), Ok(ORIGIN));
                let nonce = text(input, &["nonce-1", "", "a b"])?;
                let next = exchange.handle(Event::Prepared(Preparation {
                    key: template.head(),
                    target: RequestTarget::of_url(&url),
                    nonce: Some(nonce.as_str()).filter(|nonce| !nonce.is_empty()),
                    now,
                    random: &[7; 16],
                    body: *input.choose(&[BodyKind::Repeatable, BodyKind::Large, BodyKind::Stream])?,
                    heard: input.arbitrary()?,
                }));
                if next == Command::Send {
                    sent += 1;
                    check_proof(&template, exchange.take_signing_input(), method, &url, now);
                }
                next
            }
            Command::Send => {
                assert!(sent <= MOST_SENT, "it sends for ever");
                assert_eq!(exchange.origin(), ORIGIN);
                location = text(input, &["https://api.example/next", "https://elsewhere.example/", "/relative"])?;
                let (next, of) = answered(input, &mut exchange, &location, now)?;
                status = of;
                next
            }
            Command::ReadBody => {
                let error = text(input, &["use_dpop_nonce", "invalid_token", "invalid_grant"])?;
                let kind = text(input, &["DPoP", "dpop", "Bearer", ""])?;
                let answer = TokenAnswer {
                    error: Some(error.as_str()).filter(|error| !error.is_empty()),
                    has_access_token: input.arbitrary()?,
                    token_type: Some(kind.as_str()).filter(|kind| !kind.is_empty()),
                    issued_at: input.arbitrary()?,
                    now,
                };
                let next = exchange.handle(Event::Body(answer));
                // RFC 9449 §5: a token that is not bound never reaches the application.
                let bound = answer.token_type.is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
                if (200..300).contains(&status) && answer.has_access_token && !bound && !accept_bearer {
                    assert_eq!(next, Command::Fail(ClientError::TokenDowngraded));
                }
                next
            }
            Command::StoreNonce => {
                assert!(exchange.nonce().is_some_and(is_nonce));
                exchange.handle(Event::Done)
            }
            Command::AdjustClock => {
                now = now.saturating_add(exchange.clock_adjustment()).clamp(-4_000_000_000, 4_000_000_000);
                exchange.handle(Event::Done)
            }
            Command::Follow => {
                assert_eq!(for_request(&location).map(|target| target.origin()).as_deref(), Ok(ORIGIN));
                url.clone_from(&location);
                exchange.handle(Event::Done)
            }
            Command::Report(_) => exchange.handle(Event::Done),
            end => {
                assert!(matches!(end, Command::PassThrough | Command::Return | Command::Fail(_)));
                assert_eq!(exchange.handle(Event::Done), Command::Fail(ClientError::OutOfTurn), "it is over");
                return Ok(());
            }
        };
    }
}

fn answered(
    input: &mut Unstructured<'_>,
    exchange: &mut Exchange,
    location: &str,
    now: i64,
) -> libfuzzer_sys::arbitrary::Result<(Command, u16)> {
    let challenge = text(
        input,
        &[
            "DPoP error=\"use_dpop_nonce\"",
            "Bearer error=\"invalid_token\"",
            "DPoP error=use_dpop_nonce, Bearer error=x",
        ],
    )?;
    let nonce = text(input, &["nonce-2", "nonce-3", "a, b"])?;
    let option = |given: bool, text: &'_ str| given.then(|| text.to_owned());
    let redirects = input.ratio(1, 4)?;
    let (challenge, nonce) = (option(input.ratio(3, 4)?, &challenge), option(input.ratio(3, 4)?, &nonce));
    let date = if input.ratio(1, 4)? { Some(input.arbitrary::<i64>()?) } else { None };
    let status = *input.choose(&[401, 200, 400, 307, 302, 201, 403, 500, 0])?;
    let next = exchange.handle(Event::Answered(Answer {
        status,
        opaque_redirect: input.ratio(1, 16)?,
        location: redirects.then(|| RequestTarget::of_url(location)),
        www_authenticate: challenge.as_deref(),
        dpop_nonce: nonce.as_deref(),
        cross_origin: input.arbitrary()?,
        date,
        now,
    }));
    Ok((next, status))
}

fn out_of_turn(exchange: &mut Exchange, command: &Command) -> Command {
    match command {
        Command::ReadBody => exchange.handle(Event::Done),
        _ => exchange.handle(Event::Body(TokenAnswer::default())),
    }
}

/// A server reads it as a proof for that request.
fn check_proof(template: &ProofTemplate, input: String, method: &str, url: &str, now: i64) {
    let proof = template.finish(input, &[1; 64]).expect("64 octets");
    let url = for_request(url).expect("it was signed").wire_form();
    let target = TargetUri::parse(&url).expect("what is signed is read");
    let now = Timestamp::from_seconds(now);
    let expected = ExpectedRequest { method, target: &target, access_token_hash: None, now };
    let policy = ProofPolicy { max_proof_bytes: usize::MAX, ..ProofPolicy::DEFAULT };
    assert!(check::parse(&proof, &policy, &expected).is_ok());
}

/// One of the usual texts, or any.
fn text(input: &mut Unstructured<'_>, usual: &[&str]) -> libfuzzer_sys::arbitrary::Result<String> {
    if input.ratio(3, 4)? { Ok((*input.choose(usual)?).to_owned()) } else { Ok(input.arbitrary::<&str>()?.to_owned()) }
}
