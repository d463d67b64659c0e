//! A resource server's decision: `authenticate`, the engine of `keybound-edge` and its server decide the
//! same, and what they accept may be accepted.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keybound_core::{
    algorithm::Algorithm,
    challenge,
    server::{
        answer::{self, ChallengeContext},
        certificate::CertificateReading,
        nonce::{NonceRole, NonceRule, NonceStatus},
        policy::{ClientType, Mechanism, RequiredFor},
        reason::{Answer, Reason},
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
        request::Request,
        resource_server::{Accepted, ResourcePolicy, Surroundings, TokenCheck, authenticate_client},
        token::VerifiedToken,
    },
    signature::{SignatureCheck, SignatureVerifier},
    time::Timestamp,
};
use keybound_edge::engine::{Engine, Step as Next};
use serde_json::Value;

use crate::{
    asynchronous::Server,
    invariants,
    policy::Flags,
    script::{Script, Step},
    world::{self, AUDIENCE, ISSUER, Made, Verifier},
};

/// The memory, unless the script has another answer.
pub struct Store<'a> {
    pub memory: &'a mut MemoryReplay,
    pub answer: &'a str,
}

impl ReplayStore for Store<'_> {
    fn claim(&mut self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        match self.answer.bytes().next() {
            Some(b'f') => ReplayAnswer::Full,
            Some(b'u') => ReplayAnswer::Unavailable,
            Some(b'e') => ReplayAnswer::External,
            Some(b'r') => ReplayAnswer::Replayed,
            _ => self.memory.claim(mark, now),
        }
    }
}

/// What a source says of tokens: of one text always the same.
#[derive(Default)]
pub struct Source(HashMap<String, (bool, String)>);

impl Source {
    pub fn ask(&mut self, token: &str, step: &Step<'_>, made: &Made) -> (bool, String) {
        let answer = || (!step.token_damage.starts_with('o'), made.token_claims.clone());
        self.0.entry(token.to_owned()).or_insert_with(answer).clone()
    }
}

/// Decides about each request of a script in both ways, one after the other. How many were accepted.
pub fn one_after_the_other(script: &Script<'_>) -> usize {
    let mut all_accepted = 0;
    let flags = Flags(script.policy);
    let policy = flags.policy();
    let mut engine = Engine::new(flags.config());
    let server = Server::new(flags);
    let mut stores = [MemoryReplay::new(100, 50), MemoryReplay::new(100, 50)];
    let mut source = Source::default();
    for step in &script.steps {
        let made = world::make(step, true);
        let (authorization, dpop) = (texts(&made.authorization), texts(&made.dpop));
        let request = Request { method: &made.method, url: &made.url, authorization: &authorization, dpop: &dpop };
        let (ours, theirs) = stores.split_at_mut(1);
        let mut store = Store { memory: &mut ours[0], answer: step.replay };
        let mut decide = |store: &mut Store<'_>| at_once(flags, &policy, step, &made, &request, &mut source, store);
        let at_once = decide(&mut store);
        // The store is asked last: what it refused held otherwise, and is refused once more.
        if let Ok(accepted) = &at_once
            && accepted.jkt().is_some()
            && !step.replay.starts_with('e')
        {
            assert_eq!(decide(&mut store).err(), Some(Reason::ProofReplayed));
        }
        let mut store = Store { memory: &mut theirs[0], answer: step.replay };
        let in_steps = in_steps(flags, &mut engine, step, &made, &request, &mut source, &mut store);
        let by_server = server.decide(step, &made, &request, &mut source);
        match (&at_once, &by_server) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours.claims_json(), theirs.claims_json());
                assert_eq!((ours.jkt(), ours.x5t_s256()), (theirs.jkt(), theirs.x5t_s256()));
                assert_eq!(ours.mark(), theirs.mark());
                assert_eq!(ours.renews_nonce(), !theirs.fields().is_empty());
            }
            (Err(ours), Err(theirs)) => assert_eq!(ours, theirs, "the server refuses for another reason"),
            (ours, theirs) => panic!("at once {:?}, by the server {:?}", ours.is_ok(), theirs.is_ok()),
        }
        match (at_once, in_steps) {
            (Ok(ours), Ok(theirs)) => {
                all_accepted += 1;
                check_accepted(flags, &policy, step, &made, &ours);
                assert_eq!(ours.claims_json(), theirs.claims_json());
                assert_eq!((ours.jkt(), ours.x5t_s256()), (theirs.jkt(), theirs.x5t_s256()));
                assert_eq!((ours.mark(), ours.renews_nonce()), (theirs.mark(), theirs.renews_nonce()));
            }
            (Err(ours), Err(theirs)) => {
                assert_eq!(ours, theirs, "both refuse for one reason");
                check_refused(&engine.challenge_context(), ours, &request);
            }
            (ours, theirs) => panic!("at once {:?}, in steps {:?}", ours.err(), theirs.err()),
        }
    }
    all_accepted
}

fn at_once(
    flags: Flags<'_>,
    policy: &ResourcePolicy,
    step: &Step<'_>,
    made: &Made,
    request: &Request<'_>,
    source: &mut Source,
    store: &mut Store<'_>,
) -> Result<Accepted, Reason> {
    let tokens = flags.tokens();
    let keys = [world::issuer_keys()];
    let token = if flags.has('s') {
        let presented = presented_token(made);
        let (active, claims) = source.ask(presented, step, made);
        let resolved = VerifiedToken::from_source(active, &claims, &tokens.issuers, &tokens.audiences);
        TokenCheck::Resolved(resolved.map(Arc::new))
    } else {
        TokenCheck::Jwt(&tokens, &keys)
    };
    let surroundings = Surroundings {
        verifier: &Verifier,
        replay: store,
        nonce: |nonce: &str| known_nonce(flags, NonceRole::ResourceServer, step, nonce, made.now),
        certificate: world::certificate(step),
    };
    authenticate_client(request, policy, token, made.now, surroundings, |_| world::client_type(step))
}

/// What the server knows of a nonce.
#[must_use]
pub fn known_nonce(flags: Flags<'_>, role: NonceRole, step: &Step<'_>, nonce: &str, now: Timestamp) -> NonceStatus {
    if flags.has('n') { world::nonces(role).check(nonce, now) } else { world::nonce_status(step) }
}

/// Drives the engine as it asks, and between its questions calls it with handles that are nobody's.
fn in_steps(
    flags: Flags<'_>,
    engine: &mut Engine,
    step: &Step<'_>,
    made: &Made,
    request: &Request<'_>,
    source: &mut Source,
    store: &mut Store<'_>,
) -> Result<Accepted, Reason> {
    let mut next = engine.begin(request, made.now);
    // More steps than there are kinds would be a circle.
    for _ in 0..8 {
        if let Some(handle) = handle_of(&next) {
            for nobody in [handle ^ 0x1_0000, handle.wrapping_add(1), u32::MAX] {
                wrong_turns(engine, nobody);
            }
        }
        next = match next {
            Next::Accepted(outcome) => return Ok(outcome.accepted),
            Next::Rejected(reason) => return Err(reason),
            other => answer(flags, engine, other, step, made, source, store),
        };
    }
    panic!("the engine asks for ever");
}

/// Answers what the engine asks.
pub(crate) fn answer(
    flags: Flags<'_>,
    engine: &mut Engine,
    next: Next,
    step: &Step<'_>,
    made: &Made,
    source: &mut Source,
    store: &mut Store<'_>,
) -> Next {
    let external = flags.has('x') || !step.replay.is_empty();
    match next {
        Next::NeedNonce(handle) => {
            let nonce = engine.nonce_of(handle).expect("it asks about one").to_owned();
            let status = known_nonce(flags, NonceRole::ResourceServer, step, &nonce, made.now);
            engine.nonce(handle, status)
        }
        Next::NeedKeys(handle, issuer) => {
            engine.set_keys(issuer, world::issuer_keys());
            engine.resume(handle)
        }
        Next::NeedSource(handle) => {
            let token = engine.token_of(handle).expect("it asks about one").to_owned();
            assert_eq!(token, presented_token(made));
            let (active, claims) = source.ask(&token, step, made);
            let until = flags.has('b').then(|| made.now.plus_seconds(60));
            engine.source(handle, active, &claims, until)
        }
        Next::NeedSignatures(handle) => {
            let asked = engine.signatures_of(handle).expect("it asks about some");
            let verify = |check: Option<SignatureCheck<'_>>| check.map_or(Ok(()), |check| Verifier.verify(check));
            let (token, proof) = (verify(asked.token), verify(asked.proof));
            let early = flags.has('e').then(|| world::certificate(step));
            let memory = if external { None } else { Some(&mut *store.memory) };
            engine.signatures(handle, token, proof, early, memory)
        }
        Next::NeedClientType(handle) => {
            assert!(engine.claims_of(handle).is_some());
            let memory = if external { None } else { Some(&mut *store.memory) };
            engine.client(handle, world::client_type(step), memory)
        }
        Next::NeedCertificate(handle) => {
            let memory = if external { None } else { Some(&mut *store.memory) };
            engine.certificate(handle, world::certificate(step), memory)
        }
        Next::NeedReplay(handle) => {
            let mark = *engine.mark_of(handle).expect("it asks about one");
            let answer = store.claim(&mark, made.now.as_seconds());
            engine.replay(handle, answer)
        }
        over @ (Next::Rejected(_) | Next::Accepted(_)) => over,
    }
}

/// The handle of a request that waits.
pub(crate) fn handle_of(next: &Next) -> Option<u32> {
    match next {
        Next::NeedNonce(handle)
        | Next::NeedKeys(handle, _)
        | Next::NeedSource(handle)
        | Next::NeedSignatures(handle)
        | Next::NeedClientType(handle)
        | Next::NeedCertificate(handle)
        | Next::NeedReplay(handle) => Some(*handle),
        Next::Rejected(_) | Next::Accepted(_) => None,
    }
}

/// Each answer to a handle that nobody waits under leads nowhere.
pub(crate) fn wrong_turns(engine: &mut Engine, handle: u32) {
    assert!(engine.nonce_of(handle).is_none() && engine.token_of(handle).is_none());
    assert!(engine.signatures_of(handle).is_none() && engine.mark_of(handle).is_none());
    assert!(engine.claims_of(handle).is_none());
    let answers = [
        engine.nonce(handle, NonceStatus::Current),
        engine.resume(handle),
        engine.source(handle, true, "{}", None),
        engine.signatures(handle, Ok(()), Ok(()), Some(CertificateReading::Absent), None),
        engine.client(handle, ClientType::Confidential, None),
        engine.certificate(handle, CertificateReading::Absent, None),
        engine.replay(handle, ReplayAnswer::Fresh),
    ];
    assert!(answers.iter().all(|answer| matches!(answer, Next::Rejected(Reason::Overloaded))));
    engine.abandon(handle);
}

/// The text after the scheme.
fn presented_token(made: &Made) -> &str {
    let field = made.authorization.first().map_or("", |field| field.trim_matches([' ', '\t']));
    field.split_once(' ').map_or("", |(_, token)| token.trim_start_matches(' '))
}

pub(crate) fn check_accepted(
    flags: Flags<'_>,
    policy: &ResourcePolicy,
    step: &Step<'_>,
    made: &Made,
    accepted: &Accepted,
) {
    let [field] = made.authorization.as_slice() else { panic!("one set of credentials") };
    let scheme = field.trim_matches([' ', '\t']).split(' ').next().unwrap_or("");
    let token = presented_token(made);
    if scheme.eq_ignore_ascii_case("dpop") {
        invariants::proof(made, &policy.proof, accepted.jkt().expect("a proven key"), Some(token));
    }
    invariants::binding(accepted.claims_json(), scheme, accepted.jkt(), accepted.x5t_s256(), step.certificate);
    let claims: Value = serde_json::from_str(accepted.claims_json()).expect("claims");
    let seconds = |name: &str| claims.get(name).and_then(|date| date.to_string().parse::<f64>().ok());
    assert!(seconds("exp").is_none_or(|exp| exp > made.now.as_seconds() as f64));
    if !flags.has('s') {
        check_jwt(token, accepted.claims_json(), &claims);
    }
    let constraint = policy.constraint;
    let bound = [accepted.jkt().is_some(), accepted.x5t_s256().is_some()];
    let free =
        constraint.required_for == RequiredFor::PublicClients && world::client_type(step) == ClientType::Confidential;
    assert!(match (constraint.required && !free, constraint.mechanism) {
        (false, _) => true,
        (_, Mechanism::Dpop) => bound[0],
        (_, Mechanism::Mtls) => bound[1],
        (_, Mechanism::Either) => bound[0] || bound[1],
    });
    let nonce_counts = accepted.jkt().is_some() && policy.nonce == NonceRule::Require;
    if nonce_counts && !flags.has('n') {
        assert!(matches!(world::nonce_status(step), NonceStatus::Current | NonceStatus::Previous));
        assert_eq!(accepted.renews_nonce(), world::nonce_status(step) == NonceStatus::Previous);
    }
}

/// A JWT that was accepted is signed by its issuer, for us, and says what was reported.
fn check_jwt(token: &str, reported: &str, claims: &Value) {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, payload, signature] = parts.as_slice() else { panic!("three parts") };
    assert_eq!(URL_SAFE_NO_PAD.decode(payload).as_deref(), Ok(reported.as_bytes()));
    assert_eq!(claims["iss"], ISSUER);
    let audience = &claims["aud"];
    assert!(audience == AUDIENCE || audience.as_array().is_some_and(|list| list.iter().any(|one| one == AUDIENCE)));
    let keys = world::issuer_keys();
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("a signature");
    let message = token.rsplit_once('.').map_or("", |(message, _)| message);
    let check = SignatureCheck {
        algorithm: Algorithm::Es256,
        key: keys.keys()[0].key(),
        message: message.as_bytes(),
        signature: &signature,
    };
    assert!(Verifier.verify(check).is_ok());
}

/// Whatever is refused can be answered, and the answer is read as it is meant.
fn check_refused(context: &ChallengeContext<'_>, reason: Reason, request: &Request<'_>) {
    let challenges = answer::refusal(context, reason, answer::scheme_used(request));
    assert_eq!(challenges.is_empty(), reason.answer() == Answer::ServerError);
    let joined = challenges.join(", ");
    let read = challenge::parse(&joined);
    assert_eq!(read.len(), challenges.len());
    let errors: Vec<_> = read.iter().filter_map(|challenge| challenge.param("error")).collect();
    match reason.answer() {
        Answer::Error(error) => assert_eq!(errors, [error.name()]),
        _ => assert!(errors.is_empty()),
    }
}

pub(crate) fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}
