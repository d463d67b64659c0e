//! `dpop-verifier`: a proof alone, with its `ath`. The token it takes as it is.

use std::collections::HashSet;

use dpop_verifier::{DpopError, DpopVerifier, ReplayContext, ReplayStore};

use crate::{
    Work,
    material::{Material, Request, URL},
    now::finished,
};

#[derive(Default)]
struct Seen(HashSet<[u8; 32]>);

#[async_trait::async_trait]
impl ReplayStore for Seen {
    async fn insert_once(&mut self, jti_hash: [u8; 32], _: ReplayContext<'_>) -> Result<bool, DpopError> {
        Ok(self.0.insert(jti_hash))
    }
}

pub fn checks<'a>(material: &Material, requests: &[Request]) -> Work<'a> {
    let verifier = DpopVerifier::new().with_max_age_seconds(300).with_future_skew_seconds(60);
    let mut seen = Seen::default();
    let mut accepts = move |Request(token, proof): &Request| {
        finished(verifier.verify(&mut seen, proof, URL, "GET", Some(token))).is_ok()
    };
    let known = &material.known[0];
    for (what, request) in known.tampered(&material.key[0]) {
        assert!(!accepts(&request), "dpop-verifier accepts {what}");
    }
    assert!(accepts(known) && !accepts(known), "dpop-verifier accepts a request once");
    let requests = requests.to_vec();
    Box::new(move |index| assert!(accepts(&requests[index]), "dpop-verifier refuses a good request"))
}
