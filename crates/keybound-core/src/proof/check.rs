//! Checking a proof (RFC 9449 §4.3), cheap checks first, up to its signature.
//!
//! [`parse`] makes every check that needs no cryptography and gives a [`ParsedProof`]; only the
//! answer about its signature turns that into a [`VerifiedProof`]. A valid proof alone grants
//! nothing (§4): [`crate::server`] goes on from there.

use alloc::{borrow::ToOwned, boxed::Box, string::String, sync::Arc, vec::Vec};

use super::PROOF_TYPE;
use crate::{
    algorithm::{Algorithm, AlgorithmSet},
    base64url,
    json::{JsonError, Object, Value},
    jws,
    key::{self, KeyError, PublicKey},
    server::reason::Reason,
    signature::{SignatureCheck, SignatureError},
    target_uri::{TargetUri, TargetUriError, UriPart},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// Which proofs are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofPolicy {
    /// The algorithms that are accepted (RFC 9449 §11.6). Default: all.
    pub algorithms: AlgorithmSet,
    /// How many seconds ago a proof may have been made. Default 300.
    pub max_age: u32,
    /// How many seconds a client's clock may be ahead. Default 60; FAPI 2.0 asks for 10 to 60.
    pub max_future: u32,
    /// The longest proof, in octets. Default 16384.
    pub max_proof_bytes: usize,
    /// The longest `jti`, in octets. Default 512.
    pub max_jti_bytes: usize,
}

impl ProofPolicy {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        algorithms: AlgorithmSet::ALL,
        max_age: 300,
        max_future: 60,
        max_proof_bytes: 16 * 1024,
        max_jti_bytes: 512,
    };

    /// What the FAPI 2.0 Security Profile asks of proofs: PS256, ES256 or EdDSA on Ed25519, under either of
    /// its names, and never RS256 (§5.4.1); 10 s ahead are accepted and more than 60 s refused
    /// (§5.3.2.1 item 13).
    pub const FAPI2: Self = Self {
        algorithms: AlgorithmSet::EMPTY
            .with(Algorithm::Es256)
            .with(Algorithm::Ps256)
            .with(Algorithm::EdDsa)
            .with(Algorithm::Ed25519),
        max_future: 60,
        ..Self::DEFAULT
    };

    /// When the replay mark of a proof with this `iat` may be forgotten: no proof that is accepted
    /// outlives its mark (RFC 9449 §11.1).
    #[must_use]
    pub const fn mark_expiry(&self, iat: Timestamp) -> Timestamp {
        // A proof is still accepted in the last second; without any margin its mark would end there.
        let margin = if self.max_future == 0 { 1 } else { self.max_future };
        iat.plus_seconds(self.max_age as i64).plus_seconds(margin as i64)
    }
}

impl Default for ProofPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The request that a proof has to be for.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedRequest<'a> {
    /// The method on the wire, compared with case (RFC 9110 §9.1).
    pub method: &'a str,
    /// The target URI as clients see it.
    pub target: &'a TargetUri<'a>,
    /// The SHA-256 of the access token presented with the proof (§4.2); `None` at a token endpoint,
    /// where `ath` is ignored.
    pub access_token_hash: Option<&'a [u8; 32]>,
    /// The verifier's clock.
    pub now: Timestamp,
}

/// A proof that holds but for its nonce and signature.
#[derive(Debug)]
pub struct ParsedProof {
    signing_input: String,
    signature: Vec<u8>,
    claims: Box<ProofClaims>,
}

/// A proof whose signature verifies with the key in it.
#[derive(Debug)]
pub struct VerifiedProof {
    claims: Box<ProofClaims>,
}

/// Boxed, since a proof moves from step to step.
#[derive(Debug)]
struct ProofClaims {
    payload: Vec<u8>,
    header: Arc<ProofHeader>,
    jti: String,
    iat: Timestamp,
    nonce: Option<String>,
}

/// A proof's protected header that holds. A client writes the same one into all its proofs: kept after one of them was
/// accepted, it spares the next ones reading it, and the hash of the key.
#[derive(Debug)]
pub struct ProofHeader {
    encoded: String,
    algorithm: Algorithm,
    key: PublicKey,
}

impl ProofHeader {
    /// How long it is as it stands in the proof, in octets.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.encoded.len()
    }
}

/// Makes the checks of RFC 9449 §4.3 that need no cryptography: 2 to 5, 7 to 9, 11, and `ath` of 12.
///
/// # Errors
/// The first check that fails.
pub fn parse(proof: &str, policy: &ProofPolicy, request: &ExpectedRequest<'_>) -> Result<ParsedProof, Reason> {
    parse_known(proof, policy, request, None)
}

/// As [`parse`], where a header of an earlier proof is known that this one may have too: then its checks, made under
/// the same policy, hold octet for octet.
///
/// # Errors
/// The first check that fails.
#[inline(never)]
pub fn parse_known(
    proof: &str,
    policy: &ProofPolicy,
    request: &ExpectedRequest<'_>,
    known: Option<&Arc<ProofHeader>>,
) -> Result<ParsedProof, Reason> {
    if proof.len() > policy.max_proof_bytes {
        return Err(Reason::ProofTooLarge);
    }
    let parts = jws::split(proof).ok_or(Reason::ProofNotCompact)?;
    let decode = |part| base64url::decode(part).map_err(|_| Reason::ProofNotBase64Url);
    let known = known.filter(|known| known.encoded == parts.header);
    // One that is known is not read again.
    let header = decode(if known.is_some() { "e30" } else { parts.header })?;
    let (payload, signature) = (decode(parts.payload)?, decode(parts.signature)?);
    let header = read_object(&header, Reason::ProofHeaderNotJson)?;
    let members = read_object(&payload, Reason::ProofPayloadNotJson)?;

    let header = match known {
        Some(known) => Arc::clone(known),
        None => {
            let (algorithm, key) = check_header(&header, policy)?;
            Arc::new(ProofHeader { encoded: parts.header.to_owned(), algorithm, key })
        }
    };
    let claims = check_claims(&members, policy, request.access_token_hash.is_some())?;
    if claims.htm != request.method {
        return Err(Reason::HtmMismatch);
    }
    check_target(claims.htu, request.target)?;
    check_time(&claims, policy, request.now)?;
    if let Some(hash) = request.access_token_hash
        // One text for each hash, so that to read it is to compare it.
        && !claims.ath.is_some_and(|ath| base64url::decode(ath).is_ok_and(|octets| octets == hash))
    {
        return Err(Reason::AthMismatch);
    }
    if signature.len() != header.key.signature_len(header.algorithm) {
        return Err(Reason::ProofSignatureInvalid);
    }
    let claims = Box::new(ProofClaims {
        header,
        jti: claims.jti.to_owned(),
        iat: claims.iat,
        nonce: claims.nonce.map(ToOwned::to_owned),
        payload,
    });
    Ok(ParsedProof { signing_input: parts.signing_input.to_owned(), signature, claims })
}

impl ParsedProof {
    /// The signature to check, with the key that the proof brings (§4.3 check 6).
    #[must_use]
    pub fn signature_check(&self) -> SignatureCheck<'_> {
        SignatureCheck {
            algorithm: self.claims.header.algorithm,
            key: &self.claims.header.key,
            message: self.signing_input.as_bytes(),
            signature: &self.signature,
        }
    }

    /// The `nonce` claim.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.claims.nonce.as_deref()
    }

    /// The thumbprint of the key in it.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.claims.header.key.thumbprint()
    }

    /// The proof, given the answer about its signature.
    ///
    /// # Errors
    /// The signature does not verify.
    pub fn verified(self, signature: Result<(), SignatureError>) -> Result<VerifiedProof, Reason> {
        signature.map_err(|SignatureError| Reason::ProofSignatureInvalid)?;
        Ok(VerifiedProof { claims: self.claims })
    }
}

impl VerifiedProof {
    /// The thumbprint of the key that signed it: the `jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.claims.header.key.thumbprint()
    }

    /// The key that signed it.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.claims.header.key
    }

    /// Its header, for [`parse_known`].
    #[must_use]
    pub const fn header(&self) -> &Arc<ProofHeader> {
        &self.claims.header
    }

    /// Its `jti`.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.claims.jti
    }

    /// Its `iat`.
    #[must_use]
    pub const fn iat(&self) -> Timestamp {
        self.claims.iat
    }

    /// Its claims, as the JSON text that was signed.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        // Read as JSON before, so it is UTF-8.
        core::str::from_utf8(&self.claims.payload).unwrap_or_default()
    }
}

fn read_object(octets: &[u8], malformed: Reason) -> Result<Object<'_>, Reason> {
    Object::parse(octets).map_err(|error| match error {
        JsonError::DuplicateName => Reason::ProofDuplicateMember,
        _ => malformed,
    })
}

/// Checks 4, 5 and 7, and the critical extensions, of which none is known here.
fn check_header(header: &Object<'_>, policy: &ProofPolicy) -> Result<(Algorithm, PublicKey), Reason> {
    match header.get("typ").ok_or(Reason::TypMissing)?.as_str() {
        Some(PROOF_TYPE) => {}
        _ => return Err(Reason::TypMismatch),
    }
    let alg = header.get("alg").and_then(Value::as_str).ok_or(Reason::AlgMissing)?;
    let algorithm = Algorithm::from_name(alg).ok_or(Reason::AlgUnsupported)?;
    if !policy.algorithms.contains(algorithm) {
        return Err(Reason::AlgNotAllowed);
    }
    let jwk = header.get("jwk").and_then(Value::as_object).ok_or(Reason::JwkMissing)?;
    let key = PublicKey::from_jwk_object(jwk).map_err(|error| match error {
        KeyError::PrivateMember => Reason::JwkPrivate,
        KeyError::UnsupportedType => Reason::JwkUnsupported,
        KeyError::Usage => Reason::JwkUsage,
        KeyError::InvalidPoint | KeyError::RsaModulus | KeyError::RsaExponent => Reason::JwkInvalid,
        _ => Reason::JwkMalformed,
    })?;
    if key.key_type() != algorithm.key_type() || !key::jwk_allows(jwk, algorithm) {
        return Err(Reason::JwkAlgMismatch);
    }
    check_critical(header, Reason::CritUnsupported)?;
    if header.get("b64").is_some_and(|b64| *b64 != Value::Bool(true)) {
        return Err(Reason::B64Unsupported);
    }
    Ok((algorithm, key))
}

/// No extension is known here: whatever `crit` holds, it is refused (RFC 7515 §4.1.11).
pub(crate) fn check_critical(header: &Object<'_>, reason: Reason) -> Result<(), Reason> {
    if header.get("crit").is_some() { Err(reason) } else { Ok(()) }
}

struct Claims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: Timestamp,
    exp: Option<Timestamp>,
    nbf: Option<Timestamp>,
    ath: Option<&'a str>,
    nonce: Option<&'a str>,
}

/// Check 3: the required claims are there and of their types.
fn check_claims<'a>(payload: &'a Object<'_>, policy: &ProofPolicy, ath_required: bool) -> Result<Claims<'a>, Reason> {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(Reason::JtiMissing)?;
    if jti.len() > policy.max_jti_bytes {
        return Err(Reason::JtiTooLong);
    }
    let htm = text("htm").ok_or(Reason::HtmMissing)?;
    let htu = text("htu").filter(|htu| !htu.is_empty()).ok_or(Reason::HtuMissing)?;
    let iat = date(payload, "iat", Reason::IatMissing)?.ok_or(Reason::IatMissing)?;
    let exp = date(payload, "exp", Reason::ClaimMalformed)?;
    let nbf = date(payload, "nbf", Reason::ClaimMalformed)?;
    let ath = text("ath");
    if ath_required && ath.is_none() {
        return Err(Reason::AthMissing);
    }
    let nonce = match payload.get("nonce") {
        None => None,
        Some(value) => Some(value.as_str().ok_or(Reason::NonceMalformed)?),
    };
    Ok(Claims { jti, htm, htu, iat, exp, nbf, ath, nonce })
}

/// A NumericDate, which may be fractional or in exponent form (RFC 7519 §2).
pub(crate) fn date(object: &Object<'_>, name: &str, malformed: Reason) -> Result<Option<Timestamp>, Reason> {
    match object.get(name) {
        None => Ok(None),
        Some(value) => value.as_number().and_then(Timestamp::from_json_number).map(Some).ok_or(malformed),
    }
}

/// Check 9.
fn check_target(htu: &str, target: &TargetUri<'_>) -> Result<(), Reason> {
    let claimed = TargetUri::parse(htu).map_err(|error| match error {
        TargetUriError::NotHttps => Reason::HtuNotHttps,
        _ => Reason::HtuMalformed,
    })?;
    match target.difference(&claimed) {
        None => {}
        Some(UriPart::Scheme) => return Err(Reason::HtuSchemeMismatch),
        Some(UriPart::Host) => return Err(Reason::HtuHostMismatch),
        Some(UriPart::Port) => return Err(Reason::HtuPortMismatch),
        Some(UriPart::Path) => return Err(Reason::HtuPathMismatch),
    }
    // RFC 9449 §2: DPoP is for https. A developer's own machine is the exception. Of two that are the
    // same the server's own is asked, however the other is spelt.
    if target.is_https() || target.is_loopback() { Ok(()) } else { Err(Reason::HtuNotHttps) }
}

/// Check 11, and `exp` and `nbf` where a client sets them (RFC 7519 §4.1.4, §4.1.5).
fn check_time(claims: &Claims<'_>, policy: &ProofPolicy, now: Timestamp) -> Result<(), Reason> {
    let latest = now.plus_seconds(i64::from(policy.max_future));
    if claims.iat > latest {
        return Err(Reason::IatInFuture);
    }
    if claims.iat < now.plus_seconds(i64::from(policy.max_age).saturating_neg()) {
        return Err(Reason::IatTooOld);
    }
    if claims.exp.is_some_and(|exp| exp <= now) {
        return Err(Reason::ProofExpired);
    }
    // A client whose clock is ahead sets nbf as it sets iat.
    if claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(Reason::ProofNotYetValid);
    }
    Ok(())
}
