//! The same decision by `keybound_edge::ResourceServer`, which carries out the engine's steps itself and
//! makes the answer.

use core::{
    cell::RefCell,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use keybound_core::{
    nonce_syntax::is_nonce,
    server::{
        nonce::{NonceRole, NonceStatus},
        reason::{OAuthError, Reason},
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
        request::Request,
    },
    time::Timestamp,
};
use keybound_edge::{
    ResourceServer,
    reply::{Field, Rejected},
    resource_server::Accepted,
    surroundings::{
        AsyncReplayStore, NonceChecker, ResolvedToken, Surroundings, Synchronous, TokenSource, Unavailable,
    },
};

use crate::{
    policy::Flags,
    resource::{Source, Store, known_nonce},
    script::Step,
    world::{self, Made, Verifier},
};

/// A server, and its own memory of proofs.
pub struct Server<'a> {
    flags: Flags<'a>,
    server: ResourceServer,
    memory: RefCell<MemoryReplay>,
}

impl<'a> Server<'a> {
    #[must_use]
    pub fn new(flags: Flags<'a>) -> Self {
        let server = ResourceServer::new(flags.config()).expect("a configuration");
        let server = server.with_keys(0, world::issuer_keys());
        Self { flags, server, memory: RefCell::new(MemoryReplay::new(100, 50)) }
    }

    /// Decides about one request, and looks at the answer.
    pub fn decide(
        &self,
        step: &Step<'_>,
        made: &Made,
        request: &Request<'_>,
        source: &mut Source,
    ) -> Result<Accepted, Reason> {
        let around = Around { flags: self.flags, step, made, memory: &self.memory, source: RefCell::new(source) };
        let (verifier, client_type) = (Synchronous(Verifier), |_: &str| world::client_type(step));
        let surroundings = Surroundings::new(made.now, &verifier, &(), &around)
            .with_certificate(world::certificate(step))
            .with_client_type(&client_type)
            .with_tokens(&around)
            .with_nonces(&around);
        match at_once(self.server.authenticate(request, surroundings)) {
            Ok(accepted) => {
                check_nonce(&accepted.fields(), self.flags, false);
                let forbidden = self.server.forbid(&accepted, "read \"all\" \\");
                assert_eq!(forbidden.status, 403);
                check_fields(&forbidden.fields);
                Ok(accepted)
            }
            Err(rejected) => {
                check_rejected(&rejected, self.flags);
                Err(rejected.reason())
            }
        }
    }
}

/// What is asked of the script.
struct Around<'a> {
    flags: Flags<'a>,
    step: &'a Step<'a>,
    made: &'a Made,
    memory: &'a RefCell<MemoryReplay>,
    source: RefCell<&'a mut Source>,
}

impl AsyncReplayStore for Around<'_> {
    async fn claim(&self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        Store { memory: &mut self.memory.borrow_mut(), answer: self.step.replay }.claim(mark, now)
    }
}

impl TokenSource for Around<'_> {
    async fn resolve(&self, token: &str, now: Timestamp) -> Result<ResolvedToken, Unavailable> {
        let until = self.flags.has('b').then(|| now.plus_seconds(60));
        Ok(match self.source.borrow_mut().ask(token, self.step, self.made) {
            (true, claims) => ResolvedToken::Active { claims, until },
            (false, _) => ResolvedToken::Inactive,
        })
    }
}

impl NonceChecker for Around<'_> {
    async fn current(&self) -> Result<String, Unavailable> {
        Ok("current".to_owned())
    }

    async fn check(&self, nonce: &str) -> Result<NonceStatus, Unavailable> {
        assert!(is_nonce(nonce));
        Ok(known_nonce(self.flags, NonceRole::ResourceServer, self.step, nonce, self.made.now))
    }
}

/// Nothing here waits for anything.
fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for nobody"),
    }
}

fn check_rejected(rejected: &Rejected, flags: Flags<'_>) {
    let reply = rejected.reply();
    check_fields(&reply.fields);
    check_nonce(&reply.fields, flags, rejected.error() == Some(OAuthError::UseDpopNonce));
    assert!(matches!(reply.status, 400 | 401 | 503));
    let has = |name: &str| reply.fields.iter().any(|(field, _)| *field == name);
    assert_eq!(has("Retry-After"), reply.status == 503);
    assert_eq!(has("WWW-Authenticate"), reply.status != 503);
    match rejected.error() {
        Some(error) => {
            let body: serde_json::Value = serde_json::from_str(&reply.body).expect("JSON");
            assert_eq!(body["error"], error.name());
        }
        None => assert!(reply.body.is_empty()),
    }
}

/// Exactly one with a challenge that asks for it (RFC 9449 §8), and never from a cache (§8.2).
fn check_nonce(fields: &[Field], flags: Flags<'_>, asked_for: bool) {
    let nonces: Vec<&str> =
        fields.iter().filter(|(name, _)| *name == "DPoP-Nonce").map(|(_, value)| value.as_str()).collect();
    assert!(nonces.len() <= 1 && nonces.iter().all(|nonce| is_nonce(nonce)));
    assert!(!asked_for || nonces.len() == 1);
    if !nonces.is_empty() {
        assert!(flags.nonce() != keybound_core::server::nonce::NonceRule::Ignore);
        assert!(fields.iter().any(|(name, value)| *name == "Cache-Control" && value == "no-store"));
    }
}

/// Nothing of them ends a field or begins another.
fn check_fields(fields: &[Field]) {
    for (name, value) in fields {
        assert!(value.bytes().all(|octet| (b' '..=b'~').contains(&octet)), "{name}: {value:?}");
    }
}
