//! What a token endpoint binds a token to (RFC 9449 §5, §8 and §10; RFC 8705 §3 and §4), as a chain
//! of types like that of [`super::resource_server`].
//!
//! It is asked after the grant was found and before it is consumed: a nonce challenge must not burn
//! a code or a refresh token.

use crate::{
    proof::check::{ParsedProof, ProofPolicy},
    server::{
        certificate::CertificateReading,
        nonce::{NonceRule, NonceStatus},
        proof_stage::{ProofContext, SignedProof, UnsignedProof},
        reason::Reason,
        replay::{ReplayAnswer, ReplayMark, ReplayStore},
        resource_server::Surroundings,
    },
    signature::{SignatureError, SignatureVerifier},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// The policy of a token endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenEndpointPolicy {
    /// Which proofs are acceptable.
    pub proof: ProofPolicy,
    /// What is done with nonces.
    pub nonce: NonceRule,
}

/// A request to a token or pushed-authorization endpoint.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    /// The method as it came over the wire.
    pub method: &'a str,
    /// The absolute target URI as clients see it.
    pub url: &'a str,
    /// The values of `DPoP`.
    pub dpop: &'a [&'a str],
}

/// Which endpoint it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Endpoint {
    /// The token endpoint.
    #[default]
    Token,
    /// The pushed authorization request endpoint (RFC 9126): no token is issued here.
    PushedAuthorization,
}

/// What the authorization server knows of the grant and its client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grant {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// `dpop_jkt` of the code or of the pushed request (RFC 9449 §10).
    pub dpop_jkt: Option<Thumbprint>,
    /// The key that the refresh token is bound to (RFC 9449 §5).
    pub refresh_jkt: Option<Thumbprint>,
    /// The certificate that the refresh token is bound to (RFC 8705 §4).
    pub refresh_x5t_s256: Option<Thumbprint>,
    /// The client authenticates itself. Its refresh tokens are bound to that, and its key may change
    /// (RFC 9449 §5). A client of which nothing is known counts as public.
    pub confidential: bool,
    /// Client metadata `dpop_bound_access_tokens` (RFC 9449 §5.2).
    pub require_dpop: bool,
    /// Client metadata `tls_client_certificate_bound_access_tokens` (RFC 8705 §3.4).
    pub bind_certificate: bool,
    /// What was given as one of the thumbprints is none. It belongs to no key, so the request is
    /// refused; a `dpop_jkt` may come straight from a client.
    pub malformed: bool,
}

/// A proof that holds but for its nonce and signature, or none where none is needed.
#[derive(Debug)]
pub struct Presented {
    proof: UnsignedProof,
    grant: Grant,
}

/// As [`Presented`], and the nonce is good or not asked for.
#[derive(Debug)]
pub struct Parsed {
    presented: Presented,
    renew_nonce: bool,
}

/// As [`Parsed`], and the proof's signature verifies.
#[derive(Debug)]
pub struct Signed {
    proof: SignedProof,
    grant: Grant,
    renew_nonce: bool,
}

/// As [`Signed`], and the client holds what the grant is bound to.
#[derive(Debug)]
pub struct Possessed {
    jkt: Option<Thumbprint>,
    certificate: Option<Thumbprint>,
    bound_by_proof: bool,
    mark: Option<ReplayMark>,
    renew_nonce: bool,
}

/// What the token is to be bound to.
#[derive(Debug)]
pub struct Binding {
    jkt: Option<Thumbprint>,
    certificate: Option<Thumbprint>,
    bound_by_proof: bool,
    mark: Option<ReplayMark>,
    renew_nonce: bool,
}

impl Presented {
    /// About how many octets of the request this holds.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.proof.octets()
    }

    /// Reads the proof, if there is one, and makes every check on it that needs no cryptography.
    ///
    /// # Errors
    /// The first check that fails, or a proof is missing where one must be.
    pub fn read(
        request: &TokenRequest<'_>,
        grant: &Grant,
        policy: &TokenEndpointPolicy,
        now: Timestamp,
    ) -> Result<Self, Reason> {
        if grant.malformed {
            return Err(grant.key_mismatch());
        }
        let context = ProofContext { policy: policy.proof, nonce: policy.nonce, now };
        let proof = if request.dpop.is_empty() {
            grant.allows_no_proof()?;
            UnsignedProof::none(context)
        } else {
            // A proof for this endpoint needs no `ath`; one that is there is ignored.
            UnsignedProof::read(request.dpop, request.method, request.url, None, None, context)?
        };
        Ok(Self { proof, grant: *grant })
    }

    /// The nonce to look up, if the server looks at nonces and the proof has one.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.proof.nonce()
    }

    /// The next step, given what the server knows of [`Presented::nonce`] (`None` if that is `None`).
    ///
    /// # Errors
    /// The nonce is missing, stale or unknown.
    pub fn nonce_checked(self, status: Option<NonceStatus>) -> Result<Parsed, Reason> {
        let renew_nonce = self.proof.check_nonce(status)?;
        Ok(Parsed { presented: self, renew_nonce })
    }
}

impl Grant {
    /// Whether a request without a proof may go on.
    fn allows_no_proof(&self) -> Result<(), Reason> {
        if self.endpoint == Endpoint::PushedAuthorization {
            return Ok(());
        }
        if self.dpop_jkt.is_some() || (self.refresh_jkt.is_some() && !self.confidential) {
            return Err(Reason::GrantProofMissing);
        }
        if self.require_dpop { Err(Reason::DpopRequired) } else { Ok(()) }
    }

    /// RFC 9449 §10 and §10.1.
    const fn key_mismatch(&self) -> Reason {
        match self.endpoint {
            Endpoint::Token => Reason::GrantKeyMismatch,
            Endpoint::PushedAuthorization => Reason::PushedKeyMismatch,
        }
    }

    /// Whether the connection's certificate matters: where a token is issued (RFC 8705 §3).
    fn needs_certificate(&self) -> bool {
        self.endpoint == Endpoint::Token
            && (self.bind_certificate || (self.refresh_x5t_s256.is_some() && !self.confidential))
    }
}

impl Parsed {
    /// About how many octets of the request this holds.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.presented.octets()
    }

    /// The proof, whose signature is to be checked.
    #[must_use]
    pub const fn proof(&self) -> Option<&ParsedProof> {
        self.presented.proof.proof()
    }

    /// The next step, given the answer about the proof's signature (ignored without one).
    ///
    /// # Errors
    /// The signature does not verify.
    pub fn signature_checked(self, signature: Result<(), SignatureError>) -> Result<Signed, Reason> {
        let Presented { proof, grant } = self.presented;
        Ok(Signed { proof: proof.verified(signature)?, grant, renew_nonce: self.renew_nonce })
    }
}

impl Signed {
    /// Whether the certificate of the connection is asked for.
    #[must_use]
    pub fn needs_certificate(&self) -> bool {
        self.grant.needs_certificate()
    }

    /// The next step, given the certificate of the connection (ignored unless
    /// [`Signed::needs_certificate`]).
    ///
    /// # Errors
    /// The grant is bound to another key or certificate, or a certificate is missing.
    pub fn possession_checked(self, certificate: &CertificateReading) -> Result<Possessed, Reason> {
        let proven = self.proof.thumbprint();
        let grant = &self.grant;
        if let (Some(proven), Some(expected)) = (proven, grant.dpop_jkt)
            && proven != expected
        {
            return Err(grant.key_mismatch());
        }
        // Only refresh tokens of public clients are bound to their key (RFC 9449 §5).
        if let Some(expected) = grant.refresh_jkt.filter(|_| !grant.confidential)
            && proven != Some(expected)
        {
            return Err(Reason::GrantKeyMismatch);
        }
        let certificate = self.check_certificate(certificate)?;
        // What is pushed is bound by the parameter just as well as by a proof (RFC 9449 §10.1).
        let pushed = grant.dpop_jkt.filter(|_| grant.endpoint == Endpoint::PushedAuthorization);
        Ok(Possessed {
            jkt: proven.or(pushed),
            certificate,
            bound_by_proof: proven.is_some(),
            mark: self.proof.mark(),
            renew_nonce: self.renew_nonce,
        })
    }

    fn check_certificate(&self, certificate: &CertificateReading) -> Result<Option<Thumbprint>, Reason> {
        if !self.needs_certificate() {
            return Ok(None);
        }
        let presented = match *certificate {
            CertificateReading::Certificate(thumbprint) => thumbprint,
            CertificateReading::Absent => return Err(Reason::CertificateRequired),
            CertificateReading::Refused(reason) => return Err(reason),
        };
        if let Some(expected) = self.grant.refresh_x5t_s256.filter(|_| !self.grant.confidential)
            && presented != expected
        {
            return Err(Reason::GrantCertificateMismatch);
        }
        Ok(Some(presented))
    }
}

impl Possessed {
    /// The mark to claim now that everything else holds. `None` without a proof.
    #[must_use]
    pub const fn mark(&self) -> Option<&ReplayMark> {
        self.mark.as_ref()
    }

    /// The last step, given what the replay store said of [`Possessed::mark`] (ignored without one).
    ///
    /// # Errors
    /// The proof was used before, or the store cannot tell.
    pub fn replay_checked(self, answer: ReplayAnswer) -> Result<Binding, Reason> {
        if self.mark.is_some() {
            answer.check()?;
        }
        Ok(Binding {
            jkt: self.jkt,
            certificate: self.certificate,
            bound_by_proof: self.bound_by_proof,
            mark: self.mark.filter(|_| answer == ReplayAnswer::External),
            renew_nonce: self.renew_nonce,
        })
    }
}

impl Binding {
    /// `cnf.jkt` of the token, or what a pushed request is bound to.
    #[must_use]
    pub const fn jkt(&self) -> Option<Thumbprint> {
        self.jkt
    }

    /// `cnf["x5t#S256"]` of the token.
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<Thumbprint> {
        self.certificate
    }

    /// Whether `token_type` is `DPoP` (RFC 9449 §5); else it is `Bearer`, also for a token that is
    /// bound to a certificate (RFC 8705 §3).
    #[must_use]
    pub const fn is_dpop(&self) -> bool {
        self.bound_by_proof
    }

    /// The mark that the caller still has to claim, after [`ReplayAnswer::External`].
    #[must_use]
    pub const fn mark(&self) -> Option<&ReplayMark> {
        self.mark.as_ref()
    }

    /// Whether the client's nonce is getting old, so that the answer carries the current one.
    #[must_use]
    pub const fn renews_nonce(&self) -> bool {
        self.renew_nonce
    }
}

/// Decides in one call: all steps in order, with a synchronous verifier.
///
/// # Errors
/// The first check that fails.
pub fn bind<V, R, N>(
    request: &TokenRequest<'_>,
    grant: &Grant,
    policy: &TokenEndpointPolicy,
    now: Timestamp,
    surroundings: Surroundings<'_, V, R, N>,
) -> Result<Binding, Reason>
where
    V: SignatureVerifier,
    R: ReplayStore,
    N: FnOnce(&str) -> NonceStatus,
{
    let Surroundings { verifier, replay, nonce, certificate } = surroundings;
    let presented = Presented::read(request, grant, policy, now)?;
    let status = presented.nonce().map(nonce);
    let parsed = presented.nonce_checked(status)?;
    let signature = parsed.proof().map_or(Ok(()), |proof| verifier.verify(proof.signature_check()));
    let possessed = parsed.signature_checked(signature)?.possession_checked(&certificate)?;
    let answer = possessed.mark().map_or(ReplayAnswer::Fresh, |mark| replay.claim(mark, now.as_seconds()));
    possessed.replay_checked(answer)
}
