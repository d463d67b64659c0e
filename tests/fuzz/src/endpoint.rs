//! A token endpoint's decision: `bind` and the engine of `keybound-edge` decide the same, and bind to
//! nothing that the client did not show.

use keybound_core::{
    server::{
        certificate::CertificateReading,
        nonce::NonceRole,
        reason::Reason,
        replay::{MemoryReplay, ReplayStore},
        resource_server::Surroundings,
        token_endpoint::{Binding, Endpoint, Grant, TokenEndpointPolicy, TokenRequest, bind},
    },
    signature::SignatureVerifier,
    thumbprint::Thumbprint,
};
use keybound_edge::token_engine::{TokenConfig, TokenEngine, TokenStep};

use crate::{
    invariants,
    policy::Flags,
    resource::{Store, known_nonce, texts},
    script::{Script, Step},
    world::{self, CERTIFICATES, Made, Verifier},
};

/// Decides about each request of a script in both ways, one after the other. How many were accepted.
pub fn one_after_the_other(script: &Script<'_>) -> usize {
    let mut all_accepted = 0;
    let flags = Flags(script.policy);
    let policy = TokenEndpointPolicy { proof: flags.proof(), nonce: flags.nonce() };
    let nonces = flags.nonce_source(NonceRole::AuthorizationServer);
    let mut engine = TokenEngine::new(TokenConfig { policy, nonces, key_cache: flags.cache() });
    let mut stores = [MemoryReplay::new(100, 50), MemoryReplay::new(100, 50)];
    for step in &script.steps {
        let made = world::make(step, true);
        let grant = grant_of(step);
        let dpop = texts(&made.dpop);
        let request = TokenRequest { method: &made.method, url: &made.url, dpop: &dpop };
        let (ours, theirs) = stores.split_at_mut(1);
        let mut store = Store { memory: &mut ours[0], answer: step.replay };
        let mut decide = || {
            let surroundings = Surroundings {
                verifier: &Verifier,
                replay: &mut store,
                nonce: |nonce: &str| known_nonce(flags, NonceRole::AuthorizationServer, step, nonce, made.now),
                certificate: world::certificate(step),
            };
            bind(&request, &grant, &policy, made.now, surroundings)
        };
        let at_once = decide();
        if at_once.as_ref().is_ok_and(Binding::is_dpop) && !step.replay.starts_with('e') {
            assert_eq!(decide().err(), Some(Reason::ProofReplayed));
        }
        let mut store = Store { memory: &mut theirs[0], answer: step.replay };
        let in_steps = in_steps(flags, &mut engine, step, &made, &grant, &mut store);
        match (at_once, in_steps) {
            (Ok(ours), Ok(theirs)) => {
                all_accepted += 1;
                check_binding(&policy, step, &made, &grant, &ours);
                assert_eq!((ours.jkt(), ours.x5t_s256()), (theirs.jkt(), theirs.x5t_s256()));
                assert_eq!((ours.is_dpop(), ours.mark()), (theirs.is_dpop(), theirs.mark()));
                assert_eq!(ours.renews_nonce(), theirs.renews_nonce());
            }
            (ours, theirs) => assert_eq!(ours.err(), theirs.err(), "both refuse for one reason"),
        }
    }
    all_accepted
}

fn grant_of(step: &Step<'_>) -> Grant {
    let flags = Flags(step.grant.unwrap_or(""));
    let (own, other) = world::clients(step.key);
    let key = |mine: char, theirs: char| match (flags.has(mine), flags.has(theirs)) {
        (true, _) => Some(own.key.public_key().thumbprint()),
        (_, true) => Some(other.key.public_key().thumbprint()),
        _ => None,
    };
    let certificate = |flag: char, number: usize| flags.has(flag).then(|| CERTIFICATES[number]);
    Grant {
        endpoint: if flags.has('p') { Endpoint::PushedAuthorization } else { Endpoint::Token },
        dpop_jkt: key('j', 'J'),
        refresh_jkt: key('r', 'R'),
        refresh_x5t_s256: certificate('x', 0).or(certificate('y', 1)),
        confidential: flags.has('c'),
        require_dpop: flags.has('d'),
        bind_certificate: flags.has('b'),
        malformed: flags.has('m'),
    }
}

fn in_steps(
    flags: Flags<'_>,
    engine: &mut TokenEngine,
    step: &Step<'_>,
    made: &Made,
    grant: &Grant,
    store: &mut Store<'_>,
) -> Result<Binding, Reason> {
    let dpop = texts(&made.dpop);
    let request = TokenRequest { method: &made.method, url: &made.url, dpop: &dpop };
    let external = flags.has('x') || !step.replay.is_empty();
    let mut next = engine.begin(&request, grant, made.now);
    for _ in 0..8 {
        let memory = if external { None } else { Some(&mut *store.memory) };
        next = match next {
            TokenStep::Bound(binding, _) => return Ok(binding),
            TokenStep::Rejected(reason) => return Err(reason),
            TokenStep::NeedNonce(handle) => {
                nobody(engine, handle ^ 0x1_0000);
                let nonce = engine.nonce_of(handle).expect("it asks about one").to_owned();
                engine.nonce(handle, known_nonce(flags, NonceRole::AuthorizationServer, step, &nonce, made.now))
            }
            TokenStep::NeedSignature(handle) => {
                nobody(engine, handle.wrapping_add(1));
                let (check, _) = engine.signature_of(handle).expect("it asks about one");
                let verified = Verifier.verify(check);
                engine.signature(handle, verified, memory)
            }
            TokenStep::NeedCertificate(handle) => {
                nobody(engine, u32::MAX);
                engine.certificate(handle, &world::certificate(step), memory)
            }
            TokenStep::NeedReplay(handle) => {
                nobody(engine, handle ^ 0x8000_0000);
                let mark = *engine.mark_of(handle).expect("it asks about one");
                let answer = store.claim(&mark, made.now.as_seconds());
                engine.replay(handle, answer)
            }
        };
    }
    panic!("the engine asks for ever");
}

/// Each answer to a handle that nobody waits under leads nowhere.
fn nobody(engine: &mut TokenEngine, handle: u32) {
    assert!(engine.nonce_of(handle).is_none() && engine.signature_of(handle).is_none());
    let answers = [
        engine.nonce(handle, keybound_core::server::nonce::NonceStatus::Current),
        engine.signature(handle, Ok(()), None),
        engine.certificate(handle, &CertificateReading::Absent, None),
        engine.replay(handle, keybound_core::server::replay::ReplayAnswer::Fresh),
    ];
    assert!(answers.iter().all(|answer| matches!(answer, TokenStep::Rejected(Reason::Overloaded))));
}

fn check_binding(policy: &TokenEndpointPolicy, step: &Step<'_>, made: &Made, grant: &Grant, binding: &Binding) {
    assert!(!grant.malformed);
    let pushed = grant.endpoint == Endpoint::PushedAuthorization;
    if binding.is_dpop() {
        invariants::proof(made, &policy.proof, binding.jkt().expect("a proven key"), None);
    } else {
        // What is pushed may be bound by the parameter alone (RFC 9449 §10.1).
        assert_eq!(binding.jkt(), grant.dpop_jkt.filter(|_| pushed));
        assert!(!grant.require_dpop || pushed, "RFC 9449 §5.2");
        assert!(made.dpop.is_empty());
    }
    assert!(grant.dpop_jkt.is_none() || binding.jkt() == grant.dpop_jkt, "RFC 9449 §10");
    let bound = |to: Option<Thumbprint>| to.filter(|_| !grant.confidential);
    if let Some(jkt) = bound(grant.refresh_jkt)
        && !pushed
    {
        assert_eq!(binding.jkt(), Some(jkt), "RFC 9449 §5");
    }
    if let Some(x5t) = bound(grant.refresh_x5t_s256)
        && !pushed
    {
        assert_eq!(binding.x5t_s256(), Some(x5t), "RFC 8705 §4");
    }
    if grant.bind_certificate && !pushed {
        assert!(binding.x5t_s256().is_some(), "RFC 8705 §3");
    }
    if let Some(x5t) = binding.x5t_s256() {
        assert_eq!(CertificateReading::Certificate(x5t), world::certificate(step));
    }
}
