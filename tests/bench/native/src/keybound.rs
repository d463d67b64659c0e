//! The whole decision of `keybound-edge`'s server, with replay marks in memory.

use std::{
    cell::RefCell,
    time::{SystemTime, UNIX_EPOCH},
};

use keybound_aws_lc::AwsLc;
use keybound_core::{
    server::{jwks::Jwks, replay::MemoryReplay, request},
    signature::{SignatureCheck, SignatureError, SignatureVerifier},
    time::Timestamp,
};
use keybound_edge::{
    ResourceServer,
    engine::Config,
    surroundings::{Surroundings, Synchronous},
};
use keybound_rustcrypto::RustCrypto;

use crate::{
    Work,
    material::{AUDIENCE, ISSUER, Material, Request, URL},
    now::finished,
};

/// A provider to decide with, and whether it tells good signatures from others.
pub trait Provider: SignatureVerifier {
    const CHECKS: bool = true;
}

impl Provider for RustCrypto {}
impl Provider for AwsLc {}

/// Finds every signature good: what is left is everything but them.
pub struct Good;

impl Provider for Good {
    const CHECKS: bool = false;
}

impl SignatureVerifier for Good {
    fn verify(&self, _: SignatureCheck<'_>) -> Result<(), SignatureError> {
        Ok(())
    }
}

struct Server<V> {
    server: ResourceServer,
    verifier: Synchronous<V>,
    replay: RefCell<MemoryReplay>,
}

impl<V: SignatureVerifier> Server<V> {
    fn new(material: &Material, verifier: V) -> Self {
        let keys = Jwks::parse(&material.jwks.to_string()).expect("the issuer's keys");
        let server = ResourceServer::new(Config::for_jwts([ISSUER], [AUDIENCE])).expect("a good configuration");
        Self {
            server: server.with_keys(0, keys),
            verifier: Synchronous(verifier),
            replay: RefCell::new(MemoryReplay::new(1_000_000, 1_000_000)),
        }
    }

    fn accepts(&self, authorization: &str, proof: &str) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = Timestamp::from_seconds(i64::try_from(now).unwrap_or(i64::MAX));
        let request = request::Request { method: "GET", url: URL, authorization: &[authorization], dpop: &[proof] };
        let around = Surroundings::new(now, &self.verifier, &(), &self.replay);
        finished(self.server.authenticate(&request, around)).is_ok()
    }
}

fn fields(Request(token, proof): &Request) -> (String, String) {
    (format!("DPoP {token}"), proof.clone())
}

pub fn decides<'a, V: Provider + 'a>(material: &Material, requests: &[Request], verifier: V) -> Work<'a> {
    let server = Server::new(material, verifier);
    let accepts = |request: &Request| {
        let (authorization, proof) = fields(request);
        server.accepts(&authorization, &proof)
    };
    if V::CHECKS {
        for (what, request) in material.known[0].tampered(&material.key[0]) {
            assert!(!accepts(&request), "keybound accepts {what}");
        }
    }
    for request in &material.known {
        assert!(accepts(request) && !accepts(request), "keybound accepts a request once");
    }
    let requests: Vec<_> = requests.iter().map(fields).collect();
    Box::new(move |index| {
        let (authorization, proof) = &requests[index];
        assert!(server.accepts(authorization, proof), "keybound refuses a good request");
    })
}
