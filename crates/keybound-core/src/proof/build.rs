//! Building a proof: the signing input, and the compact JWT once it is signed (RFC 9449 §4.2).
//!
//! A [`ProofTemplate`] is made once a key and keeps the encoded header. For each request it writes
//! the signing input; whoever holds the private key signs that, and [`ProofTemplate::finish`] puts
//! the proof together. Time and randomness are handed in.
//!
//! ```
//! use keybound_core::{
//!     algorithm::Algorithm,
//!     key::PublicKey,
//!     proof::build::{AccessTokenHash, ProofRequest, ProofTemplate},
//! };
//!
//! let key = PublicKey::from_jwk(r#"{"kty":"EC","crv":"P-256",
//!     "x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#).unwrap();
//! let template = ProofTemplate::new(Algorithm::Es256, key).unwrap();
//! let ath = AccessTokenHash::of("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU").unwrap();
//! let input = template.signing_input(&ProofRequest {
//!     access_token: Some(&ath),
//!     ..ProofRequest::new("GET", "https://resource.example.org/protectedresource?page=1", 1_562_262_618, &[7; 16])
//! }).unwrap();
//! // ... sign `input` with ES256 ...
//! let proof = template.finish(input, &[0; 64]).unwrap();
//! assert_eq!(proof.split('.').count(), 3);
//! ```

use alloc::string::String;

use crate::{
    algorithm::Algorithm,
    base64url, challenge, json,
    key::PublicKey,
    nonce_syntax::is_nonce,
    proof::PROOF_TYPE,
    sha256,
    target_uri::{RequestTarget, TargetUriError},
};

/// The fewest random octets in a `jti`. RFC 9449 §4.2 asks for 12 (96 bits); a UUID has 16.
pub const MIN_JTI_LEN: usize = 16;

/// Why no proof was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The algorithm does not go with this kind of key (RFC 7518 §3.4).
    AlgorithmMismatch,
    /// The method is no HTTP token (RFC 9110 §9.1).
    Method,
    /// The URL is not absolute, not `https` (or loopback `http`), or malformed.
    Url(TargetUriError),
    /// The access token is no token68 (RFC 9449 §7.1).
    AccessToken,
    /// The nonce has a character that no nonce may have (RFC 9449 §8.1).
    Nonce,
    /// A further claim has a registered name, or one that stands twice.
    ClaimName,
    /// A further claim's value is not one JSON value.
    ClaimValue,
    /// Fewer than [`MIN_JTI_LEN`] octets of randomness.
    ShortJti,
    /// The signature does not have the length that this key and algorithm give (RFC 7518 §3.4).
    SignatureLength,
}

/// What one proof says.
#[derive(Clone, Debug)]
pub struct ProofRequest<'a, O = String> {
    /// The method exactly as it goes on the wire (`htm`).
    pub method: &'a str,
    /// Where the request goes; userinfo, query and fragment of its URL are left out of `htu`.
    pub target: Result<RequestTarget<'a, O>, TargetUriError>,
    /// Seconds since 1970 (`iat`).
    pub issued_at: i64,
    /// At least [`MIN_JTI_LEN`] octets from a cryptographic source, never used before (`jti`).
    pub random: &'a [u8],
    /// The token that the request carries to a resource server (`ath`); none at a token endpoint.
    pub access_token: Option<&'a AccessTokenHash>,
    /// The newest nonce of that server in that role.
    pub nonce: Option<&'a str>,
    /// Claims beyond those of RFC 9449 §4.2.
    pub claims: &'a [Claim<'a>],
}

impl<'a> ProofRequest<'a> {
    /// A proof with the required claims only.
    #[must_use]
    pub fn new(method: &'a str, url: &'a str, issued_at: i64, random: &'a [u8]) -> Self {
        Self::to(method, RequestTarget::of_url(url), issued_at, random)
    }
}

impl<'a, O> ProofRequest<'a, O> {
    /// The same for a URL that was taken apart. One that could not be is [`BuildError::Url`].
    #[must_use]
    pub const fn to(
        method: &'a str,
        target: Result<RequestTarget<'a, O>, TargetUriError>,
        issued_at: i64,
        random: &'a [u8],
    ) -> Self {
        Self { method, target, issued_at, random, access_token: None, nonce: None, claims: &[] }
    }
}

/// The hash of an access token, worth keeping for as long as the token is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessTokenHash([u8; 32]);

impl AccessTokenHash {
    /// The hash of the ASCII of the token, exactly as it stands after the scheme (RFC 9449 §4.2).
    ///
    /// # Errors
    /// [`BuildError::AccessToken`]: a character that no token may have under the DPoP scheme (§7.1).
    pub fn of(token: &str) -> Result<Self, BuildError> {
        Self::of_digest(token, &sha256::digest(token.as_bytes()))
    }

    /// The same where the platform hashed the token: `digest` is the SHA-256 of its octets.
    ///
    /// # Errors
    /// As [`AccessTokenHash::of`].
    pub fn of_digest(token: &str, digest: &[u8; 32]) -> Result<Self, BuildError> {
        if !challenge::is_token68_text(token) {
            return Err(BuildError::AccessToken);
        }
        Ok(Self(*digest))
    }

    /// The `ath` claim.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        base64url::encode(&self.0)
    }
}

/// A further claim.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Its name, not escaped.
    pub name: &'a str,
    /// Its value as JSON text.
    pub json: &'a str,
}

/// Names that a further claim must not have: those of a proof (RFC 9449 §4.2, §9) and the
/// registered ones of RFC 7519 §4.1.
const REGISTERED: [&str; 11] = ["jti", "htm", "htu", "iat", "ath", "nonce", "iss", "sub", "aud", "exp", "nbf"];

/// Whether a further claim must not have this name: it is one of a proof's own, or registered (RFC 7519 §4.1).
#[must_use]
pub fn is_registered(name: &str) -> bool {
    REGISTERED.contains(&name)
}

/// A key's part of every proof: its encoded header.
#[derive(Clone, Debug)]
pub struct ProofTemplate {
    algorithm: Algorithm,
    key: PublicKey,
    /// `base64url(header)`.
    header: String,
    /// That of the key, in base64url.
    thumbprint: String,
}

/// What a proof needs to have of its key, each made once a key.
#[derive(Clone, Copy, Debug)]
pub struct ProofHead<'a> {
    /// The encoded header: base64url of the JSON with `typ`, `alg` and `jwk` (RFC 9449 §4.2).
    pub header: &'a str,
    /// The thumbprint of the header's key, in base64url (RFC 7638).
    pub thumbprint: &'a str,
}

impl ProofHead<'_> {
    /// What is to be signed for one request: ASCII, encoded header, dot, encoded claims (RFC 7515 §5.1).
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn signing_input(&self, request: &ProofRequest<'_>) -> Result<String, BuildError> {
        let mut further = String::new();
        push_claims(request.claims, &mut further)?;
        self.signing_input_with(request, &further)
    }

    /// The same for further claims that are JSON already: members, each after a comma, whose names are not
    /// [registered](is_registered) and differ. [`ProofRequest::claims`] is not looked at. What is wrong there is not found here.
    ///
    /// # Errors
    /// See [`BuildError`].
    #[inline(never)]
    pub fn signing_input_with<O: AsRef<str>>(
        &self,
        request: &ProofRequest<'_, O>,
        further: &str,
    ) -> Result<String, BuildError> {
        let claims = claims_json(request, further)?;
        let mut input = String::new();
        input.reserve(self.header.len().saturating_add(claims.len().saturating_mul(2)));
        input.push_str(self.header);
        input.push('.');
        base64url::encode_into(claims.as_bytes(), &mut input);
        Ok(input)
    }
}

impl ProofTemplate {
    /// A template for proofs of this key, signed with this algorithm.
    ///
    /// # Errors
    /// [`BuildError::AlgorithmMismatch`].
    pub fn new(algorithm: Algorithm, key: PublicKey) -> Result<Self, BuildError> {
        if algorithm.key_type() != key.key_type() {
            return Err(BuildError::AlgorithmMismatch);
        }
        let mut json = String::from("{\"typ\":\"");
        json.push_str(PROOF_TYPE);
        json.push_str("\",\"alg\":\"");
        json.push_str(algorithm.name());
        json.push_str("\",\"jwk\":");
        json.push_str(&key.to_jwk());
        json.push('}');
        let header = base64url::encode(json.as_bytes());
        let thumbprint = key.thumbprint().to_base64url();
        Ok(Self { algorithm, key, header, thumbprint })
    }

    /// The JWS algorithm of the proofs.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key of the proofs.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What each proof has of the key.
    #[must_use]
    pub fn head(&self) -> ProofHead<'_> {
        ProofHead { header: &self.header, thumbprint: &self.thumbprint }
    }

    /// What is to be signed for one request, see [`ProofHead::signing_input`].
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn signing_input(&self, request: &ProofRequest<'_>) -> Result<String, BuildError> {
        self.head().signing_input(request)
    }

    /// The proof: the signing input and its signature, `R || S` for an EC key (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`BuildError::SignatureLength`], as for a signature in DER.
    pub fn finish(&self, mut input: String, signature: &[u8]) -> Result<String, BuildError> {
        if signature.len() != self.key.signature_len(self.algorithm) {
            return Err(BuildError::SignatureLength);
        }
        input.push('.');
        base64url::encode_into(signature, &mut input);
        Ok(input)
    }
}

fn claims_json<O: AsRef<str>>(request: &ProofRequest<'_, O>, further: &str) -> Result<String, BuildError> {
    if request.random.len() < MIN_JTI_LEN {
        return Err(BuildError::ShortJti);
    }
    if request.method.is_empty() || !request.method.bytes().all(challenge::is_token) {
        return Err(BuildError::Method);
    }
    let target = request.target.as_ref().map_err(|error| BuildError::Url(*error))?;

    let mut out = String::new();
    out.reserve(256);
    out.push_str("{\"jti\":\"");
    base64url::encode_into(request.random, &mut out);
    // An HTTP token and a nonce hold neither quotes nor backslashes; a path may hold quotes.
    out.push_str("\",\"htm\":\"");
    out.push_str(request.method);
    out.push_str("\",\"htu\":");
    json::write_string(&target.htu(), &mut out);
    out.push_str(",\"iat\":");
    json::write_integer(request.issued_at, &mut out);
    if let Some(hash) = request.access_token {
        out.push_str(",\"ath\":\"");
        base64url::encode_into(&hash.0, &mut out);
        out.push('"');
    }
    if let Some(nonce) = request.nonce {
        if !is_nonce(nonce) {
            return Err(BuildError::Nonce);
        }
        out.push_str(",\"nonce\":\"");
        out.push_str(nonce);
        out.push('"');
    }
    out.push_str(further);
    out.push('}');
    Ok(out)
}

fn push_claims(claims: &[Claim<'_>], out: &mut String) -> Result<(), BuildError> {
    for (index, claim) in claims.iter().enumerate() {
        let twice = claims.iter().take(index).any(|earlier| earlier.name == claim.name);
        if twice || is_registered(claim.name) {
            return Err(BuildError::ClaimName);
        }
        if !is_closed(claim.json) {
            return Err(BuildError::ClaimValue);
        }
        out.push(',');
        json::write_string(claim.name, out);
        out.push(':');
        out.push_str(claim.json);
    }
    Ok(())
}

/// Whether a text cannot reach beyond itself as a JSON value: it is not empty, its strings and
/// brackets close, and no comma or colon stands outside them. That the rest is JSON is the
/// caller's word; this keeps a wrong one from adding claims.
fn is_closed(json: &str) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for octet in json.bytes() {
        if in_string {
            in_string = escaped || octet != b'"';
            escaped = !escaped && octet == b'\\';
            continue;
        }
        match octet {
            b'"' => in_string = true,
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                None => return false,
            },
            b',' | b':' if depth == 0 => return false,
            _ => {}
        }
    }
    !json.bytes().all(|octet| octet.is_ascii_whitespace()) && depth == 0 && !in_string
}

#[cfg(test)]
mod tests;
