//! What verifiers are given, as `verify-material.mjs` made it.

use std::fs;

use serde::Deserialize;

pub const ISSUER: &str = "https://as.example";
pub const AUDIENCE: &str = "https://api.example";
pub const URL: &str = "https://api.example/orders";

#[derive(Deserialize)]
pub struct Material {
    pub jwks: serde_json::Value,
    /// One request of each client that `warm` and `key` have.
    pub known: Vec<Request>,
    /// Of known clients with known tokens.
    pub warm: Vec<Request>,
    /// Of known clients, with a token that is new each time.
    pub key: Vec<Request>,
    /// Of clients that are new each time.
    pub cold: Vec<Request>,
}

/// A token and a proof.
#[derive(Clone, Deserialize)]
pub struct Request(pub String, pub String);

impl Material {
    pub fn read(file: &str) -> Self {
        let text = fs::read_to_string(file).expect("the material can be read");
        serde_json::from_str(&text).expect("the material is JSON")
    }

    /// Every operation needs a request of its own.
    pub fn count(&self, least: usize) {
        assert!([&self.warm, &self.key, &self.cold].into_iter().all(|requests| requests.len() >= least));
    }
}

impl Request {
    /// The same with another proof signature, another token signature, and with a token that the proof is not for.
    /// `other` is a request of the same client.
    pub fn tampered(&self, other: &Self) -> [(&'static str, Self); 3] {
        let Self(token, proof) = self;
        [
            ("a changed proof", Self(token.clone(), changed(proof))),
            ("a changed token", Self(changed(token), proof.clone())),
            ("a proof for another token", Self(other.0.clone(), proof.clone())),
        ]
    }
}

/// With one bit of `S` changed, still canonical base64url.
fn changed(jws: &str) -> String {
    let at = jws.len() - 20;
    let other = if jws.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &jws[..at], &jws[at + 1..])
}
