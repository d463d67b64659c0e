//! One proof against one request (`verifyProof`).

use alloc::string::String;

use keybound_core::{
    proof::check::{self, ExpectedRequest, ParsedProof, ProofPolicy, VerifiedProof},
    server::reason::Reason,
    sha256,
    target_uri::TargetUri,
    thumbprint::Thumbprint,
};
use wasm_bindgen::prelude::*;

use super::{ACCEPTED, NEED_SIGNATURES, REJECTED, options, seconds, shared::Slots, tables, verdict};

/// A proof on its way through the checks.
#[wasm_bindgen]
pub struct ProofCheck {
    policy: ProofPolicy,
    slots: Slots,
    expected: Option<Thumbprint>,
    parsed: Option<ParsedProof>,
    /// What the slots point into.
    verified: Option<VerifiedProof>,
    jkt: String,
}

#[wasm_bindgen]
impl ProofCheck {
    /// Reads the policy, as JSON.
    pub fn open(policy: &str) -> Option<Self> {
        Some(Self {
            policy: options::read_proof_policy(policy)?,
            slots: Slots::new(),
            expected: None,
            parsed: None,
            verified: None,
            jkt: String::new(),
        })
    }

    pub fn slots(&self) -> u32 {
        self.slots.address()
    }

    /// `None`: what is given as `jkt` is no thumbprint.
    #[allow(clippy::too_many_arguments, reason = "each is one crossing less")]
    pub fn begin(
        &mut self,
        proof: &str,
        method: &str,
        url: &str,
        access_token: Option<String>,
        jkt: Option<String>,
        nonce: Option<String>,
        now: f64,
    ) -> Option<u32> {
        self.expected = match jkt {
            Some(jkt) => Some(Thumbprint::parse(&jkt)?),
            None => None,
        };
        let hash = access_token.map(|token| sha256::digest(token.as_bytes()));
        let parsed = TargetUri::parse(url).map_err(|_| Reason::TargetUnknown).and_then(|target| {
            let request =
                ExpectedRequest { method, target: &target, access_token_hash: hash.as_ref(), now: seconds(now) };
            let parsed = check::parse(proof, &self.policy, &request)?;
            match (&nonce, parsed.nonce()) {
                (None, _) => Ok(parsed),
                (Some(_), None) => Err(Reason::NonceMissing),
                (Some(expected), Some(given)) if expected == given => Ok(parsed),
                (Some(_), Some(_)) => Err(Reason::NonceUnknown),
            }
        });
        match parsed {
            Ok(parsed) => {
                let parsed = self.parsed.insert(parsed);
                self.slots.set_signature(10, Some(parsed.signature_check()));
                Some(NEED_SIGNATURES)
            }
            Err(reason) => Some(self.reject(reason)),
        }
    }

    /// The key to import for the signature.
    pub fn jwk(&self) -> Option<String> {
        self.parsed.as_ref().map(|parsed| parsed.signature_check().key.to_jwk())
    }

    /// The answer about the signature.
    pub fn finish(&mut self, valid: bool) -> u32 {
        let verified = match self.parsed.take().map(|parsed| parsed.verified(verdict(valid))) {
            Some(Ok(verified)) => verified,
            Some(Err(reason)) => return self.reject(reason),
            None => return self.reject(Reason::Overloaded),
        };
        if self.expected.is_some_and(|jkt| jkt != verified.thumbprint()) {
            return self.reject(Reason::JktMismatch);
        }
        self.jkt = verified.thumbprint().to_base64url();
        let verified = self.verified.insert(verified);
        self.slots.set_text(7, Some(verified.claims_json()));
        self.slots.set_text(9, Some(&self.jkt));
        ACCEPTED
    }
}

impl ProofCheck {
    fn reject(&mut self, reason: Reason) -> u32 {
        self.slots.set(1, tables::reason_number(reason));
        REJECTED
    }
}
