//! One proof against one request (`verifyProof`).

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use keybound_core::{
    proof::check::{self, ExpectedRequest, ParsedProof, VerifiedProof},
    server::reason::Reason,
    sha256,
    target_uri::TargetUri,
    thumbprint::Thumbprint,
};
use wasm_bindgen::prelude::*;

use super::{options, seconds, tables, verdict};

/// A proof on its way through the checks.
#[wasm_bindgen]
pub struct ProofCheck {
    parsed: Option<ParsedProof>,
    verified: Option<VerifiedProof>,
    expected: Option<Thumbprint>,
    reason: Option<Reason>,
}

#[wasm_bindgen]
impl ProofCheck {
    #[wasm_bindgen(constructor)]
    #[allow(clippy::too_many_arguments, reason = "each is one crossing less")]
    pub fn new(
        proof: &str,
        method: &str,
        url: &str,
        access_token: Option<String>,
        jkt: Option<String>,
        nonce: Option<String>,
        now: f64,
        policy: &str,
    ) -> Result<Self, JsError> {
        let policy = options::read_proof_policy(policy)?;
        let expected = match jkt.as_deref().map(Thumbprint::parse) {
            Some(None) => return Err(JsError::new("jkt is no SHA-256 thumbprint in base64url")),
            Some(jkt) => jkt,
            None => None,
        };
        let hash = access_token.map(|token| sha256::digest(token.as_bytes()));
        let parsed = TargetUri::parse(url).map_err(|_| Reason::TargetUnknown).and_then(|target| {
            let request =
                ExpectedRequest { method, target: &target, access_token_hash: hash.as_ref(), now: seconds(now) };
            let parsed = check::parse(proof, &policy, &request)?;
            match (&nonce, parsed.nonce()) {
                (None, _) => Ok(parsed),
                (Some(_), None) => Err(Reason::NonceMissing),
                (Some(expected), Some(given)) if expected == given => Ok(parsed),
                (Some(_), Some(_)) => Err(Reason::NonceUnknown),
            }
        });
        let (parsed, reason) = match parsed {
            Ok(parsed) => (Some(parsed), None),
            Err(reason) => (None, Some(reason)),
        };
        Ok(Self { parsed, verified: None, expected, reason })
    }

    /// The number of the reason for the refusal, if it was refused.
    pub fn reason(&self) -> Option<u32> {
        self.reason.map(tables::reason_number)
    }

    pub fn algorithm(&self) -> u32 {
        self.parsed.as_ref().map_or(u32::MAX, |parsed| tables::algorithm_number(parsed.signature_check().algorithm))
    }

    pub fn jwk(&self) -> Option<String> {
        self.parsed.as_ref().map(|parsed| parsed.signature_check().key.to_jwk())
    }

    pub fn message(&self) -> Option<Vec<u8>> {
        self.parsed.as_ref().map(|parsed| parsed.signature_check().message.to_vec())
    }

    pub fn signature(&self) -> Option<Vec<u8>> {
        self.parsed.as_ref().map(|parsed| parsed.signature_check().signature.to_vec())
    }

    /// The answer about the signature.
    pub fn finish(&mut self, valid: bool) {
        let Some(parsed) = self.parsed.take() else { return };
        match parsed.verified(verdict(valid)) {
            Ok(verified) if self.expected.is_some_and(|jkt| jkt != verified.thumbprint()) => {
                self.reason = Some(Reason::JktMismatch);
            }
            Ok(verified) => self.verified = Some(verified),
            Err(reason) => self.reason = Some(reason),
        }
    }

    pub fn jkt(&self) -> Option<String> {
        self.verified.as_ref().map(|verified| verified.thumbprint().to_base64url())
    }

    pub fn claims(&self) -> Option<String> {
        self.verified.as_ref().map(|verified| verified.claims_json().to_owned())
    }
}
