//! A request's proof on its way through the steps: what resource servers and token endpoints do alike.

use alloc::{string::String, sync::Arc};

use crate::{
    nonce_syntax::is_nonce,
    proof::check::{self, ExpectedRequest, ParsedProof, ProofHeader, ProofPolicy, VerifiedProof},
    server::{
        nonce::{NonceRule, NonceStatus},
        reason::Reason,
        replay::ReplayMark,
        request,
    },
    signature::SignatureError,
    target_uri::TargetUri,
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// What a proof is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProofContext {
    pub(crate) policy: ProofPolicy,
    pub(crate) nonce: NonceRule,
    pub(crate) now: Timestamp,
}

/// The proof of a request, if it has one, that holds but for its nonce and signature.
#[derive(Debug)]
pub(crate) struct UnsignedProof {
    proof: Option<ParsedProof>,
    origin: String,
    context: ProofContext,
}

/// The proof of a request, if it has one, whose signature verifies.
#[derive(Debug)]
pub(crate) struct SignedProof {
    proof: Option<VerifiedProof>,
    origin: String,
    policy: ProofPolicy,
}

impl UnsignedProof {
    /// A request that needs no proof.
    pub(crate) const fn none(context: ProofContext) -> Self {
        Self { proof: None, origin: String::new(), context }
    }

    /// About how many octets of the request this holds.
    pub(crate) fn octets(&self) -> usize {
        self.proof.as_ref().map_or(0, |proof| proof.signature_check().message.len())
    }

    /// Reads the one `DPoP` field and makes every check that needs no cryptography.
    pub(crate) fn read(
        fields: &[&str],
        method: &str,
        url: &str,
        access_token_hash: Option<&[u8; 32]>,
        known: Option<&Arc<ProofHeader>>,
        context: ProofContext,
    ) -> Result<Self, Reason> {
        let target = TargetUri::parse(url).map_err(|_| Reason::TargetUnknown)?;
        let expected = ExpectedRequest { method, target: &target, access_token_hash, now: context.now };
        let proof = check::parse_known(request::proof(fields)?, &context.policy, &expected, known)?;
        Ok(Self { proof: Some(proof), origin: target.origin(), context })
    }

    pub(crate) const fn proof(&self) -> Option<&ParsedProof> {
        self.proof.as_ref()
    }

    /// The nonce to look up, if the server looks at nonces and the proof has one that could be ours.
    pub(crate) fn nonce(&self) -> Option<&str> {
        match self.context.nonce {
            NonceRule::Ignore => None,
            _ => self.proof.as_ref().and_then(ParsedProof::nonce).filter(|nonce| is_nonce(nonce)),
        }
    }

    /// Whether the nonce will do: `true` if it will, and it is time for the next one.
    pub(crate) fn check_nonce(&self, status: Option<NonceStatus>) -> Result<bool, Reason> {
        match &self.proof {
            None => Ok(false),
            // One that could not be ours has no status, and counts as unknown.
            Some(proof) => self.context.nonce.check(proof.nonce().is_some(), status),
        }
    }

    /// The proof, given the answer about its signature (ignored without one).
    pub(crate) fn verified(self, signature: Result<(), SignatureError>) -> Result<SignedProof, Reason> {
        let proof = self.proof.map(|proof| proof.verified(signature)).transpose()?;
        Ok(SignedProof { proof, origin: self.origin, policy: self.context.policy })
    }
}

impl SignedProof {
    /// The thumbprint of the key that was proven.
    pub(crate) fn thumbprint(&self) -> Option<Thumbprint> {
        self.proof.as_ref().map(VerifiedProof::thumbprint)
    }

    /// The proof's header.
    pub(crate) fn header(&self) -> Option<Arc<ProofHeader>> {
        self.proof.as_ref().map(|proof| Arc::clone(proof.header()))
    }

    /// The mark that says that it was used.
    pub(crate) fn mark(&self) -> Option<ReplayMark> {
        self.proof.as_ref().map(|proof| {
            let expiry = self.policy.mark_expiry(proof.iat()).as_seconds_ceil();
            ReplayMark::new(proof.thumbprint(), proof.jti(), &self.origin, expiry)
        })
    }
}
