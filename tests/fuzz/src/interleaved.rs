//! Requests that one engine decides about at the same time, answered in any order, also in wrong ones.

use keybound_core::{
    server::{
        certificate::CertificateReading,
        jwks::Jwks,
        nonce::NonceStatus,
        reason::Reason,
        replay::{MemoryReplay, ReplayAnswer},
        request::Request,
    },
    signature::SignatureError,
    target_uri::TargetUri,
};
use keybound_edge::engine::{Engine, Step as Next};

use crate::{
    policy::Flags,
    resource::{Source, Store, answer, check_accepted, handle_of, texts, wrong_turns},
    script::Script,
    world::{self, Made},
};

/// Each octet of the script's order chooses a request and what happens to it. How many were accepted.
pub fn in_any_order(script: &Script<'_>) -> usize {
    let mut all_accepted = 0;
    let flags = Flags(script.policy);
    let policy = flags.config().policy;
    let mut engine = Engine::new(flags.config());
    let mut memory = MemoryReplay::new(100, 50);
    let mut source = Source::default();
    let requests: Vec<Made> = script.steps.iter().map(|step| world::make(step, true)).collect();
    // A memory that was told of a later time has forgotten marks; that a clock does not run back is its
    // caller's word.
    let one_time = requests.windows(2).all(|pair| pair[0].now == pair[1].now);
    let mut waiting: Vec<Next> = requests.iter().map(|made| begin(&mut engine, made)).collect();
    let mut used: Vec<(String, String)> = Vec::new();
    for octet in script.order.bytes().take(64) {
        let at = usize::from(octet & 3) % waiting.len();
        let (step, made) = (&script.steps[at], &requests[at]);
        let next = core::mem::replace(&mut waiting[at], Next::Rejected(Reason::Overloaded));
        let handle = handle_of(&next);
        waiting[at] = match (octet >> 2 & 7, handle) {
            // Its turn is over: once more from the start.
            (_, None) => begin(&mut engine, made),
            (7, Some(handle)) => {
                engine.abandon(handle);
                wrong_turns(&mut engine, handle);
                Next::Rejected(Reason::Overloaded)
            }
            (6, Some(handle)) => {
                let after = out_of_turn(&mut engine, &next, handle);
                assert!(matches!(after, Next::Rejected(_)), "nothing is accepted out of turn");
                wrong_turns(&mut engine, handle);
                after
            }
            (5, Some(_)) => {
                // The issuer's keys are exchanged, or gone.
                let keys = if octet & 64 == 0 { world::issuer_keys() } else { Jwks::default() };
                engine.set_keys(0, keys);
                next
            }
            _ => {
                let mut store = Store { memory: &mut memory, answer: step.replay };
                answer(flags, &mut engine, next, step, made, &mut source, &mut store)
            }
        };
        if engine.has_gone() {
            let gone = engine.take_gone();
            assert!(gone.tokens.iter().chain(&gone.keys).all(|id| *id != 0));
        }
        if let Next::Accepted(outcome) = &waiting[at] {
            all_accepted += 1;
            check_accepted(flags, &policy, step, made, &outcome.accepted);
            if let Some(jkt) = outcome.accepted.jkt().filter(|_| one_time && step.replay.is_empty()) {
                let origin = TargetUri::parse(&made.url).expect("a target").origin();
                let name = (format!("{} {origin}", jkt.to_base64url()), jti(made));
                assert!(!used.contains(&name), "one proof, one request");
                used.push(name);
            }
        }
    }
    all_accepted
}

fn begin(engine: &mut Engine, made: &Made) -> Next {
    let (authorization, dpop) = (texts(&made.authorization), texts(&made.dpop));
    let request = Request { method: &made.method, url: &made.url, authorization: &authorization, dpop: &dpop };
    engine.begin(&request, made.now)
}

/// An answer to another question than the one that was asked, or a bad one to that.
fn out_of_turn(engine: &mut Engine, next: &Next, handle: u32) -> Next {
    match next {
        Next::NeedNonce(_) => engine.replay(handle, ReplayAnswer::Fresh),
        Next::NeedKeys(..) => engine.signatures(handle, Ok(()), Ok(()), None, None),
        Next::NeedSource(_) => engine.nonce(handle, NonceStatus::Current),
        Next::NeedSignatures(_) => engine.certificate(handle, CertificateReading::Absent, None),
        Next::NeedClientType(_) => engine.certificate(handle, CertificateReading::Absent, None),
        Next::NeedCertificate(_) => engine.replay(handle, ReplayAnswer::External),
        Next::NeedReplay(_) => engine.signatures(handle, Err(SignatureError), Err(SignatureError), None, None),
        Next::Rejected(_) | Next::Accepted(_) => engine.resume(handle),
    }
}

fn jti(made: &Made) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = made.dpop.first().and_then(|proof| proof.split('.').nth(1)).unwrap_or("");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("it was accepted");
    let claims: serde_json::Value = serde_json::from_slice(&payload).expect("it was accepted");
    claims["jti"].as_str().unwrap_or("").to_owned()
}
