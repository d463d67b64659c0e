//! A resource server's decision about one request, as a chain of types.
//!
//! Cheap checks come before dear ones and the replay store last, so that nobody can burn another's
//! `jti` (RFC 9449 §11.1). See [`authenticate`] for the whole way with a synchronous verifier.

use alloc::{borrow::ToOwned, string::String, sync::Arc};

use crate::{
    proof::check::{ParsedProof, ProofHeader, ProofPolicy},
    server::{
        certificate::CertificateReading,
        jwks::Jwks,
        nonce::{NonceRule, NonceStatus},
        policy::{Cell, ClientType, ConstraintPolicy, Demand, Scheme},
        proof_stage::{ProofContext, SignedProof, UnsignedProof},
        reason::Reason,
        replay::{ReplayAnswer, ReplayMark, ReplayStore},
        request::{self, Credentials, Request},
        token::{ParsedToken, TokenPolicy, VerifiedToken},
    },
    sha256,
    signature::{SignatureError, SignatureVerifier},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// The policy of a resource server.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourcePolicy {
    /// Which proofs are acceptable.
    pub proof: ProofPolicy,
    /// Which constraint is asked for.
    pub constraint: ConstraintPolicy,
    /// What is done with nonces.
    pub nonce: NonceRule,
}

/// Credentials that are well-formed and, under the DPoP scheme, a proof that holds but for its
/// nonce and signature.
#[derive(Debug)]
pub struct Presented {
    scheme: Scheme,
    token: String,
    token_hash: [u8; 32],
    proof: UnsignedProof,
    constraint: ConstraintPolicy,
    now: Timestamp,
}

/// As [`Presented`], and the nonce is good or not asked for.
#[derive(Debug)]
pub struct Parsed {
    presented: Presented,
    renew_nonce: bool,
}

/// As [`Parsed`], and the signatures of token and proof verify.
#[derive(Debug)]
pub struct Signed {
    proof: SignedProof,
    token: Arc<VerifiedToken>,
    cell: Cell,
    renew_nonce: bool,
}

/// As [`Signed`], and it is settled what the request must show.
#[derive(Debug)]
pub struct Constrained {
    signed: Signed,
    demand: Demand,
}

/// As [`Constrained`], and the client holds what the token is bound to.
#[derive(Debug)]
pub struct Possessed {
    jkt: Option<Thumbprint>,
    token: Arc<VerifiedToken>,
    certificate: Option<Thumbprint>,
    mark: Option<ReplayMark>,
    header: Option<Arc<ProofHeader>>,
    renew_nonce: bool,
}

/// What is known of an `Authorization` field that came before, and of the client whose token is in it.
#[derive(Clone, Copy, Debug)]
pub struct KnownCredentials<'a> {
    /// The scheme in it.
    pub scheme: Scheme,
    /// The SHA-256 of the token in it.
    pub token_hash: &'a [u8; 32],
    /// The header of a proof that was accepted under the same policy.
    pub header: Option<&'a Arc<ProofHeader>>,
}

/// A request that may use its token.
#[derive(Debug)]
pub struct Accepted(Possessed);

impl Presented {
    /// Reads the credentials and, under the DPoP scheme, the proof, and makes every check on it that
    /// needs no cryptography.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn read(request: &Request<'_>, policy: &ResourcePolicy, now: Timestamp) -> Result<Self, Reason> {
        let Credentials { scheme, token } = request::credentials(request.authorization)?;
        let known = KnownCredentials { scheme, token_hash: &sha256::digest(token.as_bytes()), header: None };
        let presented = Self::read_known(request, &known, policy, now)?;
        Ok(Self { token: token.to_owned(), ..presented })
    }

    /// As [`Presented::read`] for an `Authorization` field that was read before, octet for octet: the one of the request
    /// is not looked at, and [`Parsed::token`] is empty. For a token that is remembered.
    ///
    /// # Errors
    /// The first check that fails.
    #[inline(never)]
    pub fn read_known(
        request: &Request<'_>,
        known: &KnownCredentials<'_>,
        policy: &ResourcePolicy,
        now: Timestamp,
    ) -> Result<Self, Reason> {
        let KnownCredentials { scheme, token_hash, header } = *known;
        let context = ProofContext { policy: policy.proof, nonce: policy.nonce, now };
        let proof = match scheme {
            // A proof beside a Bearer token proves nothing (RFC 9449 §7.2).
            Scheme::Bearer => UnsignedProof::none(context),
            Scheme::Dpop => {
                UnsignedProof::read(request.dpop, request.method, request.url, Some(token_hash), header, context)?
            }
        };
        let (token, token_hash) = (String::new(), *token_hash);
        Ok(Self { scheme, token, token_hash, proof, constraint: policy.constraint, now })
    }

    /// The nonce to look up, if the server looks at nonces and the proof has one.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.proof.nonce()
    }

    /// About how many octets of the request this holds.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.token.len().saturating_add(self.proof.octets())
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

impl Parsed {
    /// The scheme under which the token was presented.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.presented.scheme
    }

    /// About how many octets of the request this holds.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.presented.octets()
    }

    /// The access token, to be resolved into a [`VerifiedToken`].
    #[must_use]
    pub fn token(&self) -> &str {
        &self.presented.token
    }

    /// The SHA-256 of the access token, under which a verified one may be remembered.
    #[must_use]
    pub const fn token_hash(&self) -> &[u8; 32] {
        &self.presented.token_hash
    }

    /// The proof, whose signature is to be checked. `None` under the Bearer scheme.
    #[must_use]
    pub const fn proof(&self) -> Option<&ParsedProof> {
        self.presented.proof.proof()
    }

    /// The next step, given the token and the answer about the proof's signature (ignored without a
    /// proof). What the token carries decides what the request must show, see [`ConstraintPolicy::cell`].
    ///
    /// # Errors
    /// The token is out of its time, the proof's signature does not verify, or no request with this
    /// token and scheme is accepted.
    pub fn signatures_checked(
        self,
        token: Arc<VerifiedToken>,
        proof_signature: Result<(), SignatureError>,
    ) -> Result<Signed, Reason> {
        let Presented { scheme, proof, constraint, now, .. } = self.presented;
        token.check_time(now)?;
        let proof = proof.verified(proof_signature)?;
        let cell = constraint.cell(scheme, &token.confirmation()?)?;
        Ok(Signed { proof, token, cell, renew_nonce: self.renew_nonce })
    }
}

impl Signed {
    /// Whether the client's type decides.
    #[must_use]
    pub const fn needs_client_type(&self) -> bool {
        matches!(self.cell, Cell::ByClient(..))
    }

    /// The token's claims, by which the client may be known.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        self.token.claims_json()
    }

    /// The next step, given the client's type (ignored unless [`Signed::needs_client_type`]).
    ///
    /// # Errors
    /// The token lacks the constraint that is required of such a client.
    pub fn client_known(self, client: ClientType) -> Result<Constrained, Reason> {
        let demand = self.cell.for_client(client)?;
        Ok(Constrained { signed: self, demand })
    }
}

impl Constrained {
    /// Whether the certificate of the connection is asked for.
    #[must_use]
    pub const fn needs_certificate(&self) -> bool {
        self.demand.certificate
    }

    /// The next step, given the certificate of the connection (ignored unless
    /// [`Constrained::needs_certificate`]).
    ///
    /// # Errors
    /// The proof's key or the certificate is not the one that the token is bound to.
    pub fn possession_checked(self, certificate: &CertificateReading) -> Result<Possessed, Reason> {
        let Signed { proof, token, renew_nonce, .. } = self.signed;
        let confirmation = token.confirmation()?;
        if self.demand.key {
            let proven = proof.thumbprint();
            if proven.is_none() || proven != confirmation.jkt() {
                return Err(Reason::JktMismatch);
            }
        }
        let mut bound = None;
        if self.demand.certificate {
            match *certificate {
                CertificateReading::Absent => return Err(Reason::CertificateMissing),
                CertificateReading::Refused(reason) => return Err(reason),
                CertificateReading::Certificate(thumbprint) => {
                    if confirmation.x5t_s256() != Some(thumbprint) {
                        return Err(Reason::CertificateMismatch);
                    }
                    bound = Some(thumbprint);
                }
            }
        }
        let (jkt, mark, header) = (proof.thumbprint(), proof.mark(), proof.header());
        Ok(Possessed { jkt, token, certificate: bound, mark, header, renew_nonce })
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
    pub fn replay_checked(mut self, answer: ReplayAnswer) -> Result<Accepted, Reason> {
        if self.mark.is_some() {
            answer.check()?;
        }
        if answer != ReplayAnswer::External {
            self.mark = None;
        }
        Ok(Accepted(self))
    }
}

impl Accepted {
    /// The token's claims, as the JSON object that its issuer made.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        self.0.token.claims_json()
    }

    /// The thumbprint of the key that was proven, `cnf.jkt`.
    #[must_use]
    pub const fn jkt(&self) -> Option<Thumbprint> {
        self.0.jkt
    }

    /// The header of the proof.
    #[must_use]
    pub const fn proof_header(&self) -> Option<&Arc<ProofHeader>> {
        self.0.header.as_ref()
    }

    /// The thumbprint of the certificate that was shown, `cnf["x5t#S256"]`.
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<Thumbprint> {
        self.0.certificate
    }

    /// The mark that the caller still has to claim, after [`ReplayAnswer::External`].
    #[must_use]
    pub const fn mark(&self) -> Option<&ReplayMark> {
        self.0.mark.as_ref()
    }

    /// Whether the client's nonce is getting old, so that the answer carries the current one (RFC 9449 §8.2).
    #[must_use]
    pub const fn renews_nonce(&self) -> bool {
        self.0.renew_nonce
    }
}

/// What [`authenticate`] asks of its surroundings.
#[derive(Debug)]
pub struct Surroundings<'a, V, R, N> {
    /// Checks signatures.
    pub verifier: &'a V,
    /// Remembers proofs.
    pub replay: &'a mut R,
    /// Knows nonces.
    pub nonce: N,
    /// The connection's certificate.
    pub certificate: CertificateReading,
}

/// A token that still has to be verified, or that the caller resolved.
#[derive(Debug)]
pub enum TokenCheck<'a> {
    /// A JWT, with the policy for it and the keys of each of the policy's issuers.
    Jwt(&'a TokenPolicy, &'a [Jwks]),
    /// What a source of the caller's said of the token: introspection, say.
    Resolved(Result<Arc<VerifiedToken>, Reason>),
}

/// Decides about a request in one call: all steps in order, with a synchronous verifier. Every client
/// counts as public.
///
/// # Errors
/// The first check that fails.
pub fn authenticate<V, R, N>(
    request: &Request<'_>,
    policy: &ResourcePolicy,
    token: TokenCheck<'_>,
    now: Timestamp,
    surroundings: Surroundings<'_, V, R, N>,
) -> Result<Accepted, Reason>
where
    V: SignatureVerifier,
    R: ReplayStore,
    N: FnOnce(&str) -> NonceStatus,
{
    authenticate_client(request, policy, token, now, surroundings, |_| ClientType::Public)
}

/// As [`authenticate`], with a function that tells a client's type by its token's claims (JSON). It is
/// asked with [`RequiredFor::PublicClients`](super::policy::RequiredFor) only, and where it decides: once
/// the token is verified, and only if it lacks the constraint that is asked for.
///
/// ```
/// # use keybound_core::server::{certificate::CertificateReading, nonce::NonceStatus, replay::MemoryReplay};
/// # use keybound_core::server::{request::Request, resource_server::{ResourcePolicy, Surroundings, TokenCheck}};
/// # use keybound_core::{server::token::VerifiedToken, time::Timestamp};
/// # use keybound_rustcrypto::RustCrypto;
/// use std::sync::Arc;
///
/// use keybound_core::server::{
///     policy::{ClientType, ConstraintPolicy, RequiredFor},
///     reason::Reason,
///     resource_server::authenticate_client,
/// };
///
/// let constraint = ConstraintPolicy { required_for: RequiredFor::PublicClients, ..ConstraintPolicy::default() };
/// let policy = ResourcePolicy { constraint, ..ResourcePolicy::default() };
/// let of_our_backend = |claims: &str| match claims.contains(r#""client_id":"backend""#) {
///     true => ClientType::Confidential,
///     false => ClientType::Public,
/// };
/// let decide = |claims: &str| {
///     let request = Request {
///         method: "GET",
///         url: "https://api.example/orders",
///         authorization: &["Bearer opaque"],
///         dpop: &[],
///     };
///     let token = VerifiedToken::from_source(true, claims, &[], &[]).map(Arc::new);
/// #   let (mut replay, now) = (MemoryReplay::new(10, 10), Timestamp::from_seconds(1_780_000_000));
/// #   let surroundings = Surroundings {
/// #       verifier: &RustCrypto,
/// #       replay: &mut replay,
/// #       nonce: |_: &str| NonceStatus::Unknown,
/// #       certificate: CertificateReading::Absent,
/// #   };
///     authenticate_client(&request, &policy, TokenCheck::Resolved(token), now, surroundings, of_our_backend)
/// };
/// assert!(decide(r#"{"client_id":"backend"}"#).is_ok());
/// assert_eq!(decide(r#"{"client_id":"app"}"#).unwrap_err(), Reason::TokenNotBound);
///
/// // What a token is bound to is enforced whatever the client is.
/// let bound = r#"{"client_id":"backend","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}"#;
/// assert_eq!(decide(bound).unwrap_err(), Reason::DpopTokenAsBearer);
/// ```
///
/// # Errors
/// The first check that fails.
pub fn authenticate_client<V, R, N>(
    request: &Request<'_>,
    policy: &ResourcePolicy,
    token: TokenCheck<'_>,
    now: Timestamp,
    surroundings: Surroundings<'_, V, R, N>,
    client_type: impl FnOnce(&str) -> ClientType,
) -> Result<Accepted, Reason>
where
    V: SignatureVerifier,
    R: ReplayStore,
    N: FnOnce(&str) -> NonceStatus,
{
    let Surroundings { verifier, replay, nonce, certificate } = surroundings;
    let presented = Presented::read(request, policy, now)?;
    let status = presented.nonce().map(nonce);
    let parsed = presented.nonce_checked(status)?;
    let token = match token {
        TokenCheck::Jwt(policy, jwks) => Arc::new(verify_jwt(parsed.token(), policy, jwks, now, verifier)?),
        TokenCheck::Resolved(token) => token?,
    };
    let proof = parsed.proof().map_or(Ok(()), |proof| verifier.verify(proof.signature_check()));
    let signed = parsed.signatures_checked(token, proof)?;
    let client = if signed.needs_client_type() { client_type(signed.claims_json()) } else { ClientType::default() };
    let possessed = signed.client_known(client)?.possession_checked(&certificate)?;
    let answer = possessed.mark().map_or(ReplayAnswer::Fresh, |mark| replay.claim(mark, now.as_seconds()));
    possessed.replay_checked(answer)
}

fn verify_jwt<V: SignatureVerifier>(
    token: &str,
    policy: &TokenPolicy,
    jwks: &[Jwks],
    now: Timestamp,
    verifier: &V,
) -> Result<VerifiedToken, Reason> {
    let parsed = ParsedToken::parse(token, policy, now)?;
    let key = jwks.get(parsed.issuer()).and_then(|jwks| parsed.key_in(jwks)).ok_or(Reason::TokenKeyUnknown)?;
    let answer = verifier.verify(parsed.signature_check(key)?);
    parsed.verified(key, answer)
}
