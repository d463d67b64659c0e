use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use serde_json::{Value, json};

use super::*;
use crate::{
    algorithm::Algorithm,
    base64url,
    key::PublicKey,
    proof::build::{BuildError, ProofTemplate},
};

const API: &str = "https://api.example";
const AS: &str = "https://as.example";
const CHALLENGE: &str = r#"DPoP error="use_dpop_nonce", algs="ES256""#;
const STALE: &str = r#"DPoP error="invalid_token""#;

fn template() -> ProofTemplate {
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;
    ProofTemplate::new(Algorithm::Es256, PublicKey::from_jwk(jwk).unwrap()).unwrap()
}

/// A driver that answers every command from a script and writes down what it was told.
struct Driver {
    exchange: Exchange,
    key: ProofTemplate,
    tokens: Vec<Option<Token<'static>>>,
    stored: Option<String>,
    body: BodyKind,
    heard: bool,
    clock: i64,
    url: String,
    location: Option<String>,
    log: Vec<String>,
    proofs: Vec<Value>,
}

impl Driver {
    fn resource(method: &str) -> (Self, Command) {
        let policy = Policy::resource_server([API]).unwrap();
        let url = "https://api.example/items?page=2";
        Self::begin(&policy, &RequestHead::new(method, url), url)
    }

    fn token_request(policy: &Policy) -> (Self, Command) {
        let url = "https://as.example/token";
        Self::begin(policy, &form(url), url)
    }

    fn begin(policy: &Policy, request: &RequestHead<'_>, url: &str) -> (Self, Command) {
        let (exchange, command) = Exchange::begin(policy, request);
        let driver = Self {
            exchange,
            key: template(),
            tokens: vec![Some(Token::new("token-1"))],
            stored: None,
            body: BodyKind::Repeatable,
            heard: false,
            clock: 1_780_000_000,
            url: url.into(),
            location: None,
            log: Vec::new(),
            proofs: Vec::new(),
        };
        (driver, command)
    }

    /// Carries out commands until the exchange waits for an answer or ends.
    fn run(&mut self, mut command: Command) -> Command {
        loop {
            command = match command {
                Command::AskToken { stale } => {
                    self.log.push(if stale { "ask stale" } else { "ask" }.into());
                    let token = if self.tokens.len() > 1 { self.tokens.remove(0) } else { self.tokens[0] };
                    self.exchange.handle(Event::Token(token))
                }
                Command::Prepare => {
                    let preparation = Preparation {
                        key: self.key.head(),
                        target: RequestTarget::of_url(&self.url),
                        nonce: self.stored.as_deref(),
                        now: self.clock,
                        random: &[7; 16],
                        body: self.body,
                        heard: self.heard,
                    };
                    self.exchange.handle(Event::Prepared(preparation))
                }
                Command::StoreNonce => {
                    self.stored = self.exchange.nonce().map(Into::into);
                    self.log.push(alloc::format!("store {}", self.stored.as_deref().unwrap()));
                    self.exchange.handle(Event::Done)
                }
                Command::AdjustClock => {
                    let seconds = self.exchange.clock_adjustment();
                    self.log.push(alloc::format!("clock {seconds}"));
                    self.clock += seconds;
                    self.exchange.handle(Event::Done)
                }
                Command::Follow => {
                    self.url = self.location.take().unwrap();
                    self.log.push(alloc::format!("follow {}", self.url));
                    self.exchange.handle(Event::Done)
                }
                Command::Report(report) => {
                    self.log.push(alloc::format!("{report:?}"));
                    self.exchange.handle(Event::Done)
                }
                Command::Send => {
                    let input = self.exchange.take_signing_input();
                    let claims = input.split_once('.').unwrap().1;
                    self.proofs.push(serde_json::from_slice(&base64url::decode(claims).unwrap()).unwrap());
                    return command;
                }
                end => return end,
            }
        }
    }

    fn answer(&mut self, answer: Answer<'_>) -> Command {
        let command = self.exchange.handle(Event::Answered(answer));
        self.run(command)
    }

    fn body(&mut self, answer: TokenAnswer<'_>) -> Command {
        let command = self.exchange.handle(Event::Body(answer));
        self.run(command)
    }

    fn nonces(&self) -> Vec<Option<&str>> {
        self.proofs.iter().map(|proof| proof.get("nonce").map(|nonce| nonce.as_str().unwrap())).collect()
    }
}

fn form(url: &str) -> RequestHead<'_> {
    RequestHead {
        content_type: Some("application/x-www-form-urlencoded;charset=UTF-8"),
        ..RequestHead::new("POST", url)
    }
}

fn ok<'a>() -> Answer<'a> {
    Answer { status: 200, ..Answer::default() }
}

fn refused<'a>(challenge: &'a str, nonce: Option<&'a str>) -> Answer<'a> {
    Answer { status: 401, www_authenticate: Some(challenge), dpop_nonce: nonce, ..Answer::default() }
}

/// A redirect to this URL, as the driver sees it.
fn redirect(driver: &mut Driver, status: u16, url: &str) -> Command {
    driver.location = Some(url.into());
    driver.answer(Answer {
        status,
        location: Some(RequestTarget::of_url(url)),
        dpop_nonce: Some("n1"),
        ..Answer::default()
    })
}

fn is_send(command: &Command) -> bool {
    *command == Command::Send
}

#[test]
fn a_request_to_a_listed_origin_gets_token_and_proof() {
    let (mut driver, begin) = Driver::resource("patch");
    let sent = driver.run(begin);
    assert!(is_send(&sent));
    let proof = &driver.proofs[0];
    assert_eq!((&proof["htm"], &proof["htu"]), (&json!("patch"), &json!("https://api.example/items")));
    assert_eq!(proof["ath"], json!(AccessTokenHash::of("token-1").unwrap().to_base64url()));
    assert!(proof.get("nonce").is_none());
    assert_eq!(driver.answer(ok()), Command::Return);
}

#[test]
fn other_origins_never_see_the_token() {
    let policy = Policy::resource_server([API, "http://localhost:8787/path"]).unwrap();
    let strict = policy.clone().strict(true);
    for url in [
        "https://evil.example/",
        "http://api.example/",
        "https://api.example:8443/",
        "https://api.example.evil.example/",
        "https://api.example@evil.example/",
        "http://localhost/",
        "data:text/plain,x",
        "blob:https://api.example/x",
        "",
    ] {
        assert_eq!(Exchange::begin(&policy, &RequestHead::new("GET", url)).1, Command::PassThrough, "{url}");
        assert_eq!(
            Exchange::begin(&strict, &RequestHead::new("GET", url)).1,
            Command::Fail(ClientError::OriginNotAllowed),
            "{url}"
        );
    }
    for url in ["https://API.example:443/x", "http://localhost:8787/"] {
        assert_eq!(
            Exchange::begin(&strict, &RequestHead::new("GET", url)).1,
            Command::AskToken { stale: false },
            "{url}"
        );
    }
}

#[test]
fn only_encrypted_or_local_origins_can_be_listed() {
    for origin in ["http://api.example", "api.example", "", "*", "null", "ftp://api.example"] {
        assert_eq!(Policy::resource_server([origin]).err(), Some(ClientError::InvalidUrl), "{origin}");
    }
}

#[test]
fn nobody_logged_in_goes_out_plain() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.tokens = vec![None];
    assert_eq!(driver.run(begin), Command::PassThrough);
}

#[test]
fn a_nonce_challenge_is_answered_once_with_the_nonce_it_gave() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let again = driver.answer(refused(CHALLENGE, Some("n1")));
    assert!(is_send(&again));
    assert_eq!(driver.answer(Answer { dpop_nonce: Some("n2"), ..ok() }), Command::Return);
    assert_eq!(driver.nonces(), [None, Some("n1")]);
    assert_eq!(driver.log, ["ask", "store n1", "Retry(UseDpopNonce)", "ask", "store n2"]);
}

#[test]
fn a_400_challenge_is_understood_as_well() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let answer =
        Answer { status: 400, ..refused(r#"Bearer error="invalid_token", dpop ERROR=use_dpop_nonce"#, Some("n1")) };
    assert!(is_send(&driver.answer(answer)));
}

#[test]
fn challenges_are_read_as_they_are_written() {
    for (challenge, repeated) in [
        (r#"Basic YTpi, DPoP realm="say \"DPoP\"", error="use\_dpop_nonce""#, true),
        (r#"DPoP error="use_dpop_nonce_please""#, false),
        (r#"DPoP error="use_dpop""#, false),
        (r#"DPoP error="invalid_request", error="use_dpop_nonce""#, false),
        (r#"DPoP realm="error=\"use_dpop_nonce\"""#, false),
    ] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.run(begin);
        assert_eq!(is_send(&driver.answer(refused(challenge, Some("n1")))), repeated, "{challenge}");
    }
}

#[test]
fn a_nonce_is_kept_from_every_answer_but_only_the_demand_for_it_is_repeated() {
    for (status, challenge) in [
        (200, None),
        (204, None),
        (403, Some(CHALLENGE)),
        (500, None),
        (401, Some(r#"DPoP error="invalid_dpop_proof""#)),
        (401, Some(r#"DPoP error="use_dpop_nonce2""#)),
        (401, Some(r#"Bearer error="use_dpop_nonce""#)),
        (401, Some("DPoP")),
        (400, None),
    ] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.run(begin);
        let end =
            driver.answer(Answer { status, www_authenticate: challenge, dpop_nonce: Some("n1"), ..Answer::default() });
        assert_eq!(end, Command::Return, "{status} {challenge:?}");
        assert_eq!(driver.log, ["ask", "store n1"], "{status} {challenge:?}");
    }
}

#[test]
fn a_stored_nonce_is_sent_and_not_stored_again() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.stored = Some("n0".into());
    driver.run(begin);
    driver.answer(Answer { dpop_nonce: Some("n0"), ..ok() });
    assert_eq!(driver.nonces(), [Some("n0")]);
    assert_eq!(driver.log, ["ask"]);
    // Of two, the newer one: what another request stored meanwhile, unless the last answer brought one.
    for (offered, stored, sent) in [(None, "other", "other"), (Some("n1"), "other", "n1")] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.tokens = vec![Some(Token::new("token-1")), Some(Token::new("token-2"))];
        driver.stored = Some("n0".into());
        driver.run(begin);
        let mut command = driver.exchange.handle(Event::Answered(refused(STALE, offered)));
        if offered.is_some() {
            command = driver.exchange.handle(Event::Done);
        }
        driver.stored = Some(stored.into());
        driver.run(command);
        assert_eq!(driver.nonces(), [Some("n0"), Some(sent)]);
    }
    // A store of the application's own may hold anything.
    let (mut driver, begin) = Driver::resource("GET");
    driver.stored = Some("not, one".into());
    driver.run(begin);
    assert_eq!(driver.nonces(), [None]);
}

#[test]
fn a_server_that_goes_on_demanding_is_given_up() {
    // A new nonce each time, the same nonce, two nonces, an illegal one, none.
    for second in [Some("n2"), Some("n1"), Some("n2, n3"), Some("n\"2"), None] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.run(begin);
        driver.answer(refused(CHALLENGE, Some("n1")));
        assert_eq!(driver.answer(refused(CHALLENGE, second)), Command::Fail(ClientError::NonceRejected), "{second:?}");
        assert_eq!(driver.proofs.len(), 2);
    }
    for first in [Some("n1, n2"), Some(""), None] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.run(begin);
        assert_eq!(driver.answer(refused(CHALLENGE, first)), Command::Fail(ClientError::NonceRejected), "{first:?}");
        assert_eq!(driver.stored, None);
    }
}

#[test]
fn a_nonce_that_cors_hides_is_named() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let end = driver.answer(Answer { cross_origin: true, ..refused(CHALLENGE, None) });
    assert_eq!(end, Command::Fail(ClientError::NonceHidden));
    assert_eq!(driver.log, ["ask", "NonceHidden"]);
    // With the whole challenge hidden it can only be supposed.
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let end = driver.answer(Answer { status: 401, cross_origin: true, ..Answer::default() });
    assert_eq!((end, &*driver.log), (Command::Return, ["ask".into(), "NonceHidden".to_string()].as_slice()));
    // A nonce without its challenge is kept, but nobody knows whether it was demanded.
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let end = driver.answer(Answer { status: 401, cross_origin: true, dpop_nonce: Some("n1"), ..Answer::default() });
    assert_eq!((end, driver.log.join(" ").as_str()), (Command::Return, "ask store n1 NonceHidden"));
    // At the page's own origin nothing is hidden: there is none.
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let end = driver.answer(Answer { status: 401, ..Answer::default() });
    assert_eq!((end, driver.log.join(" ").as_str()), (Command::Return, "ask"));
}

#[test]
fn a_refused_token_is_replaced_once_by_another() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.tokens = vec![Some(Token::new("token-1")), Some(Token::new("token-2"))];
    driver.run(begin);
    assert!(is_send(&driver.answer(refused(STALE, None))));
    assert_ne!(driver.proofs[0]["ath"], driver.proofs[1]["ath"]);
    assert_eq!(driver.answer(refused(STALE, None)), Command::Return);
    assert_eq!(driver.log, ["ask", "ask stale", "Retry(InvalidToken)"]);
}

#[test]
fn a_refused_token_without_another_is_the_answer() {
    for second in [Some(Token::new("token-1")), None] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.tokens = vec![Some(Token::new("token-1")), second];
        driver.run(begin);
        assert_eq!(driver.answer(refused(STALE, None)), Command::Return);
        assert_eq!((driver.proofs.len(), &*driver.log), (1, ["ask".into(), "ask stale".to_string()].as_slice()));
    }
}

#[test]
fn three_attempts_at_most() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.tokens = vec![Some(Token::new("token-1")), Some(Token::new("token-1")), Some(Token::new("token-2"))];
    driver.run(begin);
    assert!(is_send(&driver.answer(refused(CHALLENGE, Some("n1")))));
    assert!(is_send(&driver.answer(refused(STALE, Some("n2")))));
    assert_eq!(driver.nonces(), [None, Some("n1"), Some("n2")]);
    assert_eq!(driver.answer(refused(CHALLENGE, Some("n3"))), Command::Fail(ClientError::NonceRejected));
    assert_eq!(driver.stored.as_deref(), Some("n3"));
}

#[test]
fn a_token_that_is_not_bound_to_this_key_is_not_sent() {
    let thumbprint: &'static str = String::leak(template().key().thumbprint().to_base64url());
    for (token_type, bound_to, end) in [
        (Some("Bearer"), None, Some(ClientError::TokenDowngraded)),
        (Some("dpop"), Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J"), Some(ClientError::TokenKeyMismatch)),
        (Some("DPOP"), Some(thumbprint), None),
    ] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.tokens = vec![Some(Token { token_type, thumbprint: bound_to, ..Token::new("t") })];
        let command = driver.run(begin);
        match end {
            Some(error) => assert_eq!(command, Command::Fail(error)),
            None => assert!(is_send(&command)),
        }
    }
}

#[test]
fn a_token_that_is_no_token_is_an_error_of_the_proof() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.tokens = vec![Some(Token::new("a b"))];
    assert_eq!(driver.run(begin), Command::Fail(ClientError::Proof(BuildError::AccessToken)));
}

#[test]
fn a_body_that_was_not_kept_is_sent_once() {
    let (mut driver, begin) = Driver::resource("POST");
    driver.body = BodyKind::Large;
    assert!(is_send(&driver.run(begin)));
    assert_eq!(driver.answer(refused(CHALLENGE, Some("n1"))), Command::Fail(ClientError::BodyNotReplayable));
    // The nonce is learnt all the same: the caller, who still has the body, succeeds with it.
    assert_eq!(driver.stored.as_deref(), Some("n1"));
    let (mut driver, begin) = Driver::resource("POST");
    driver.body = BodyKind::Large;
    driver.tokens = vec![Some(Token::new("token-1")), Some(Token::new("token-2"))];
    driver.run(begin);
    assert_eq!(driver.answer(refused(STALE, None)), Command::Return);
    assert_eq!(driver.log, ["ask"]);
}

#[test]
fn a_stream_is_not_spent_on_a_server_that_may_want_a_nonce() {
    for (stored, heard, sends) in [(None, false, false), (Some("n0"), false, true), (None, true, true)] {
        let (mut driver, begin) = Driver::resource("POST");
        (driver.body, driver.stored, driver.heard) = (BodyKind::Stream, stored.map(Into::into), heard);
        let command = driver.run(begin);
        assert_eq!(is_send(&command), sends);
        if !sends {
            assert_eq!(command, Command::Fail(ClientError::BodyNotReplayable));
        }
    }
}

#[test]
fn redirects_are_refused_where_nobody_can_look() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let end = driver.answer(Answer { opaque_redirect: true, ..Answer::default() });
    assert_eq!(end, Command::Fail(ClientError::RedirectRefused));
}

#[test]
fn a_visible_redirect_is_followed_with_a_proof_of_its_own_on_the_same_origin() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    assert!(is_send(&redirect(&mut driver, 307, "https://api.example/elsewhere?x")));
    assert_eq!(driver.proofs[1]["htu"], "https://api.example/elsewhere");
    assert_eq!(driver.nonces(), [None, Some("n1")]);
    assert_eq!(driver.log, ["ask", "store n1", "follow https://api.example/elsewhere?x", "ask"]);
    for location in ["https://evil.example/", "http://api.example/", "https://api.example:444/", "data:,x"] {
        let (mut driver, begin) = Driver::resource("GET");
        driver.run(begin);
        let end = redirect(&mut driver, 307, location);
        assert_eq!(end, Command::Fail(ClientError::RedirectRefused), "{location}");
    }
    let (mut driver, begin) = Driver::resource("POST");
    driver.run(begin);
    let end = redirect(&mut driver, 307, "https://api.example/x");
    assert_eq!(end, Command::Fail(ClientError::RedirectRefused));
    // 304, and a 3xx without Location, are answers.
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    assert_eq!(driver.answer(Answer { status: 304, ..Answer::default() }), Command::Return);
}

#[test]
fn a_redirect_loop_ends() {
    let (mut driver, begin) = Driver::resource("GET");
    let mut command = driver.run(begin);
    let mut sent = 0;
    while is_send(&command) {
        sent += 1;
        command = redirect(&mut driver, 302, "https://api.example/items");
    }
    assert_eq!((command, sent), (Command::Fail(ClientError::RedirectRefused), 6));
}

#[test]
fn the_servers_clock_is_learnt_from_answers_that_no_cache_keeps() {
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    let late = driver.clock + 240;
    let answer = Answer { date: Some(late), now: driver.clock + 1, ..refused(CHALLENGE, Some("n1")) };
    driver.answer(answer);
    assert_eq!(driver.proofs[1]["iat"], driver.proofs[0]["iat"].as_i64().unwrap() + 239);
    driver.answer(Answer { date: Some(driver.clock - 600), now: driver.clock, ..ok() });
    assert_eq!(driver.log.iter().filter(|line| line.starts_with("clock")).count(), 1);
}

#[test]
fn the_servers_clock_is_learnt_from_a_fresh_token() {
    let fresh = |date: Option<i64>, issued: i64| {
        let policy = Policy::authorization_server([AS]).unwrap();
        let (mut driver, begin) = Driver::token_request(&policy);
        driver.run(begin);
        let now = driver.clock + 1;
        driver.answer(Answer { date, now, ..ok() });
        let end = driver.body(TokenAnswer {
            has_access_token: true,
            token_type: Some("DPoP"),
            issued_at: Some(issued),
            now,
            ..TokenAnswer::default()
        });
        assert_eq!(end, Command::Return);
        driver.log
    };
    let now = 1_780_000_000;
    assert_eq!(fresh(None, now + 301), ["clock 300"]);
    assert_eq!(fresh(None, now - 300), ["clock -300"]);
    assert!(fresh(None, now).is_empty() && fresh(None, 0).is_empty());
    // A `Date` that is right says that the token is an older one.
    assert!(fresh(Some(now), now - 300).is_empty());
}

#[test]
fn token_requests_get_a_proof_without_token_hash() {
    let policy = Policy::authorization_server([AS]).unwrap();
    let (mut driver, begin) = Driver::token_request(&policy);
    assert!(is_send(&driver.run(begin)));
    assert!(driver.proofs[0].get("ath").is_none());
}

#[test]
fn everything_else_at_an_authorization_server_passes_untouched() {
    let policy = Policy::authorization_server([AS]).unwrap();
    let token = "https://as.example/token";
    for request in [
        RequestHead::new("GET", "https://as.example/.well-known/openid-configuration"),
        RequestHead::new("POST", token),
        RequestHead { content_type: Some("application/json"), ..form(token) },
        RequestHead { authorization: Some("Bearer x"), ..form(token) },
        RequestHead { authorization: Some("dpop x"), ..form(token) },
        RequestHead { has_proof: true, ..form(token) },
        RequestHead { method: "PUT", ..form(token) },
        form("https://elsewhere.example/token"),
    ] {
        assert_eq!(Exchange::begin(&policy, &request).1, Command::PassThrough, "{request:?}");
    }
    for request in [
        RequestHead { authorization: Some("Basic eDp5"), ..form(token) },
        RequestHead { content_type: Some("Application/X-WWW-Form-URLEncoded ;charset=utf-8"), ..form(token) },
    ] {
        assert_eq!(Exchange::begin(&policy, &request).1, Command::Prepare, "{request:?}");
    }
}

#[test]
fn an_authorization_servers_challenge_is_json() {
    let policy = Policy::authorization_server([AS]).unwrap();
    let (mut driver, begin) = Driver::token_request(&policy);
    driver.run(begin);
    let answer = Answer { status: 400, dpop_nonce: Some("n1"), ..Answer::default() };
    assert_eq!(driver.answer(answer), Command::ReadBody);
    let again = driver.body(TokenAnswer { error: Some("use_dpop_nonce"), ..TokenAnswer::default() });
    assert!(is_send(&again));
    assert_eq!(driver.nonces(), [None, Some("n1")]);
    assert_eq!(driver.answer(Answer { dpop_nonce: Some("n2"), ..ok() }), Command::ReadBody);
    let end = driver.body(TokenAnswer { has_access_token: true, token_type: Some("dpop"), ..TokenAnswer::default() });
    assert_eq!((end, driver.stored.as_deref()), (Command::Return, Some("n2")));
}

#[test]
fn an_authorization_servers_challenge_may_be_a_401_and_stand_in_its_head() {
    let policy = Policy::authorization_server([AS]).unwrap();
    for (challenge, error) in [(None, Some("use_dpop_nonce")), (Some(CHALLENGE), None)] {
        let (mut driver, begin) = Driver::token_request(&policy);
        driver.run(begin);
        let answer = Answer { status: 401, dpop_nonce: Some("n1"), www_authenticate: challenge, ..Answer::default() };
        assert_eq!(driver.answer(answer), Command::ReadBody);
        assert!(is_send(&driver.body(TokenAnswer { error, ..TokenAnswer::default() })), "{challenge:?}");
    }
}

#[test]
fn another_error_with_a_nonce_beside_it_is_not_repeated() {
    let policy = Policy::authorization_server([AS]).unwrap();
    for error in [Some("invalid_grant"), Some("invalid_dpop_proof"), Some("invalid_token"), None] {
        for status in [400, 401] {
            let (mut driver, begin) = Driver::token_request(&policy);
            driver.run(begin);
            driver.answer(Answer { status, dpop_nonce: Some("n1"), ..Answer::default() });
            let end = driver.body(TokenAnswer { error, ..TokenAnswer::default() });
            assert_eq!((end, driver.stored.as_deref()), (Command::Return, Some("n1")), "{status} {error:?}");
        }
    }
}

#[test]
fn a_doubled_nonce_of_an_authorization_server_is_dropped() {
    let policy = Policy::authorization_server([AS]).unwrap();
    let (mut driver, begin) = Driver::token_request(&policy);
    driver.run(begin);
    driver.answer(Answer { status: 400, dpop_nonce: Some("n1, n2"), ..Answer::default() });
    let end = driver.body(TokenAnswer { error: Some("use_dpop_nonce"), ..TokenAnswer::default() });
    assert_eq!((end, driver.stored), (Command::Fail(ClientError::NonceRejected), None));
}

#[test]
fn a_bearer_token_is_discarded_unless_dangerously_accepted() {
    for (token_type, bound) in [(Some("DPoP"), true), (Some("dpop"), true), (Some("Bearer"), false), (None, false)] {
        for accept in [false, true] {
            let policy = Policy::authorization_server([AS]).unwrap().dangerously_accept_bearer(accept);
            let (mut driver, begin) = Driver::token_request(&policy);
            driver.run(begin);
            driver.answer(ok());
            let end = driver.body(TokenAnswer { has_access_token: true, token_type, ..TokenAnswer::default() });
            let expected = if bound || accept { Command::Return } else { Command::Fail(ClientError::TokenDowngraded) };
            assert_eq!(end, expected, "{token_type:?} {accept}");
        }
    }
    // A PAR or revocation answer has no token.
    let policy = Policy::authorization_server([AS]).unwrap();
    let (mut driver, begin) = Driver::token_request(&policy);
    driver.run(begin);
    driver.answer(Answer { status: 201, ..Answer::default() });
    assert_eq!(driver.body(TokenAnswer::default()), Command::Return);
}

#[test]
fn a_token_request_is_never_redirected() {
    let policy = Policy::authorization_server([AS]).unwrap();
    let (mut driver, begin) = Driver::token_request(&policy);
    driver.run(begin);
    let end = redirect(&mut driver, 307, "https://as.example/other");
    assert_eq!(end, Command::Fail(ClientError::RedirectRefused));
}

#[test]
fn an_event_out_of_turn_ends_the_exchange() {
    let (mut driver, _) = Driver::resource("GET");
    let out_of_turn = Command::Fail(ClientError::OutOfTurn);
    assert_eq!(driver.exchange.handle(Event::Done), out_of_turn);
    assert_eq!(driver.exchange.handle(Event::Token(Some(Token::new("t")))), out_of_turn);
    // Also while something that was learnt waits to be carried out.
    let (mut driver, begin) = Driver::resource("GET");
    driver.run(begin);
    assert_eq!(driver.exchange.handle(Event::Answered(refused(CHALLENGE, Some("n1")))), Command::StoreNonce);
    assert_eq!(driver.exchange.handle(Event::Token(None)), out_of_turn);
    assert_eq!(driver.exchange.handle(Event::Done), out_of_turn);
}

#[test]
fn a_url_that_the_platform_took_apart_is_the_same_target() {
    for (url, origin, path) in [
        ("https://API.example:443/a/b?c#d", "https://api.example", "/a/b"),
        ("https://api.example:8443", "https://api.example:8443", "/"),
        ("http://localhost:8787/x", "http://localhost:8787", "/x"),
        ("http://[::1]:80/", "http://[::1]", "/"),
        ("http://[::1]:8080/", "http://[::1]:8080", "/"),
        ("http://a.localhost/", "http://a.localhost", "/"),
        ("http://127.9.0.1:1/", "http://127.9.0.1:1", "/"),
    ] {
        let (whole, parts) = (RequestTarget::of_url(url).unwrap(), RequestTarget::of_parts(origin, path).unwrap());
        assert_eq!((whole.origin(), whole.htu()), (parts.origin(), parts.htu()), "{url}");
    }
    for origin in [
        "http://api.example",
        "http://localhost.example",
        "http://[::2]",
        "http://127.0.0.1.example:80",
        "null",
        "",
        "ftp://localhost",
    ] {
        assert_eq!(RequestTarget::of_parts(origin, "/").err(), Some(TargetUriError::NotHttps), "{origin}");
    }
    assert_eq!(RequestTarget::of_parts("https://api.example", "/%zz").err(), Some(TargetUriError::Path));
}
