//! Access tokens that are JWTs (RFC 9068), and the claims of tokens from any source.

use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};

use crate::{
    algorithm::{Algorithm, AlgorithmSet},
    base64url,
    json::{Object, Value},
    jws,
    proof::check::{check_critical, date},
    server::{
        confirmation::{Confirmation, text},
        jwks::{Jwk, Jwks},
        reason::Reason,
    },
    signature::{SignatureCheck, SignatureError},
    thumbprint::Thumbprint,
    time::Timestamp,
};

/// How far ahead of the verifier's clock a token's `nbf` may be, in seconds: the issuer's clock is
/// not quite ours.
const NBF_TOLERANCE: i64 = 10;

/// What a provider's access tokens look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// RFC 9068 to the letter.
    #[default]
    Rfc9068,
    /// Auth0's default profile: `typ` JWT, the client in `azp`.
    Auth0,
    /// Keycloak: header `typ` JWT, claim `typ` `Bearer` or `DPoP`, the client in `azp`.
    Keycloak,
    /// Okta: no header `typ`, or one of its own; the client in `cid`.
    Okta,
}

struct ProfileRules {
    /// Accepted header types; `None` stands for an absent one.
    types: &'static [Option<&'static str>],
    /// String claims that must be there.
    texts: &'static [&'static str],
    /// One of these string claims names the client.
    client: &'static [&'static str],
    /// Accepted values of a `typ` claim, if the provider has one.
    claim_types: &'static [&'static str],
}

impl Profile {
    const fn rules(self) -> ProfileRules {
        const AT_JWT: Option<&str> = Some("at+jwt");
        const APPLICATION_AT_JWT: Option<&str> = Some("application/at+jwt");
        match self {
            Self::Rfc9068 => ProfileRules {
                types: &[AT_JWT, APPLICATION_AT_JWT],
                texts: &["sub", "jti"],
                client: &["client_id"],
                claim_types: &[],
            },
            Self::Auth0 => ProfileRules {
                types: &[AT_JWT, APPLICATION_AT_JWT, Some("JWT")],
                texts: &["sub"],
                client: &["azp", "client_id"],
                claim_types: &[],
            },
            Self::Keycloak => ProfileRules {
                types: &[AT_JWT, APPLICATION_AT_JWT, Some("JWT")],
                texts: &["sub", "jti"],
                client: &["azp", "client_id"],
                claim_types: &["Bearer", "DPoP"],
            },
            Self::Okta => ProfileRules {
                types: &[AT_JWT, APPLICATION_AT_JWT, Some("application/okta-internal-at+jwt"), Some("JWT"), None],
                texts: &["sub", "jti"],
                client: &["cid", "client_id"],
                claim_types: &[],
            },
        }
    }
}

/// Claims that ID tokens, logout tokens and the like have, and access tokens do not (RFC 8725 §3.12).
const FOREIGN_CLAIMS: [&str; 4] = ["at_hash", "c_hash", "s_hash", "events"];

/// As those, unless the claims name their type: Keycloak's access tokens may have the `nonce` of the
/// authentication request, as all of its tokens once had.
const NONCE: &str = "nonce";

/// Which JWT access tokens are accepted.
#[derive(Clone, Debug)]
pub struct TokenPolicy {
    /// The issuers, compared exactly (RFC 9068 §4).
    pub issuers: Vec<String>,
    /// The audiences of this resource server; a token must be for one of them.
    pub audiences: Vec<String>,
    /// The algorithms that issuers may sign with.
    pub algorithms: AlgorithmSet,
    /// What the issuers' tokens look like.
    pub profile: Profile,
    /// Header types that are accepted beside the profile's.
    pub types: Vec<String>,
}

/// A JWT access token that holds but for its signature.
#[derive(Debug)]
pub struct ParsedToken {
    signing_input: String,
    signature: Vec<u8>,
    algorithm: Algorithm,
    kid: Option<String>,
    issuer: usize,
    claims: Box<TokenClaims>,
}

/// An access token whose claims are the issuer's: its signature verified, or its source said so.
///
/// That and no more: expiry, policy, binding and proof are checked for every request.
#[derive(Debug)]
pub struct VerifiedToken {
    claims: Box<TokenClaims>,
    key: Option<Thumbprint>,
}

/// Boxed, since a token moves from step to step.
#[derive(Debug)]
struct TokenClaims {
    confirmation: Result<Confirmation, Reason>,
    exp: Option<Timestamp>,
    nbf: Option<Timestamp>,
    json: String,
}

impl ParsedToken {
    /// Reads a JWT access token and checks its header and claims (RFC 9068 §4).
    ///
    /// # Errors
    /// The first check that fails.
    pub fn parse(token: &str, policy: &TokenPolicy, now: Timestamp) -> Result<Self, Reason> {
        let parts = jws::split(token).ok_or(Reason::TokenNotJwt)?;
        let decode = |part| base64url::decode(part).map_err(|_| Reason::TokenNotJwt);
        let (header, payload) = (decode(parts.header)?, decode(parts.payload)?);
        let signature = decode(parts.signature)?;
        let header = Object::parse(&header).map_err(|_| Reason::TokenHeaderMalformed)?;
        let HeaderClaims { algorithm, kid, is_explicit } = check_header(&header, policy)?;
        let claims = Object::parse(&payload).map_err(|_| Reason::TokenPayloadMalformed)?;
        let issuer = check_claims(&claims, policy)?;
        // The header type of RFC 9068 says it all; where a provider has none of its own, look closer.
        if !is_explicit || policy.profile != Profile::Rfc9068 {
            check_kind(&claims, &policy.profile.rules())?;
        }
        let claims = TokenClaims::read(&claims, &payload)?;
        claims.check_time(now)?;
        let signing_input = parts.signing_input.to_owned();
        Ok(Self { signing_input, signature, algorithm, kid, issuer, claims })
    }

    /// Which of the policy's issuers made it. Only that issuer's keys may check it.
    #[must_use]
    pub const fn issuer(&self) -> usize {
        self.issuer
    }

    /// Its `kid`: a name to choose among the issuer's keys, and nothing else (RFC 8725 §3.10).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key among its issuer's that is to check it.
    #[must_use]
    pub fn key_in<'k>(&self, keys: &'k Jwks) -> Option<&'k Jwk> {
        keys.find(self.kid(), self.algorithm)
    }

    /// The signature to check with one of the issuer's keys.
    ///
    /// # Errors
    /// The signature has a length that this key's signatures never have.
    pub fn signature_check<'b>(&'b self, key: &'b Jwk) -> Result<SignatureCheck<'b>, Reason> {
        if self.signature.len() != key.key().signature_len(self.algorithm) {
            return Err(Reason::TokenSignatureInvalid);
        }
        Ok(SignatureCheck {
            algorithm: self.algorithm,
            key: key.key(),
            message: self.signing_input.as_bytes(),
            signature: &self.signature,
        })
    }

    /// The token, given the answer about its signature with that key.
    ///
    /// # Errors
    /// The signature does not verify, or the key is used with another algorithm.
    pub fn verified(self, key: &Jwk, signature: Result<(), SignatureError>) -> Result<VerifiedToken, Reason> {
        signature.map_err(|SignatureError| Reason::TokenSignatureInvalid)?;
        if !key.settle(self.algorithm) {
            return Err(Reason::TokenKeyUnknown);
        }
        Ok(VerifiedToken { claims: self.claims, key: Some(key.key().thumbprint()) })
    }
}

impl VerifiedToken {
    /// A token that another source resolved: introspection (RFC 7662), or a store of the caller's.
    /// `active` must be the very `true` of an introspection answer. Of the claims, `exp` and `nbf`
    /// are checked, `iss`, `aud` and `token_type` where they are present, and the confirmation always.
    ///
    /// # Errors
    /// The token is not active, or the claims are no strict JSON object or name another issuer or audience.
    pub fn from_source(active: bool, claims: &str, issuers: &[String], audiences: &[String]) -> Result<Self, Reason> {
        if !active {
            return Err(Reason::TokenInactive);
        }
        let object = Object::parse(claims.as_bytes()).map_err(|_| Reason::TokenPayloadMalformed)?;
        if object.get("active").is_some_and(|active| *active != Value::Bool(true)) {
            return Err(Reason::TokenInactive);
        }
        if let Some(issuer) = object.get("iss") {
            let issuer = issuer.as_str().ok_or(Reason::TokenPayloadMalformed)?;
            if !issuers.iter().any(|known| known == issuer) && !issuers.is_empty() {
                return Err(Reason::TokenIssuerMismatch);
            }
        }
        if object.get("aud").is_some() {
            check_audience(&object, audiences)?;
        }
        let mut claims = TokenClaims::read(&object, claims.as_bytes())?;
        claims.confirmation = claims.confirmation.and_then(|confirmation| check_type(&object, confirmation));
        Ok(Self { claims, key: None })
    }

    /// What the token says about its binding.
    ///
    /// # Errors
    /// The confirmation is malformed or unknown.
    pub const fn confirmation(&self) -> Result<Confirmation, Reason> {
        self.claims.confirmation
    }

    /// Whether the token is within its time.
    ///
    /// # Errors
    /// It has expired or is not valid yet.
    pub fn check_time(&self, now: Timestamp) -> Result<(), Reason> {
        self.claims.check_time(now)
    }

    /// When it expires.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.claims.exp
    }

    /// The issuer's key that signed it, if it is a JWT.
    #[must_use]
    pub const fn key(&self) -> Option<Thumbprint> {
        self.key
    }

    /// The claims as JSON. Not for decisions: [`super::resource_server::Accepted`] hands them out.
    #[must_use]
    pub(crate) fn claims_json(&self) -> &str {
        &self.claims.json
    }
}

impl TokenClaims {
    fn read(claims: &Object<'_>, json: &[u8]) -> Result<Box<Self>, Reason> {
        let malformed = Reason::TokenPayloadMalformed;
        Ok(Box::new(Self {
            // Refused when it is enforced, after the proof and the signatures, so that a fault of
            // the token's issuer is not taken for one of the client's.
            confirmation: Confirmation::from_claims(claims),
            exp: date(claims, "exp", malformed)?,
            nbf: date(claims, "nbf", malformed)?,
            json: core::str::from_utf8(json).map_err(|_| malformed)?.to_owned(),
        }))
    }

    fn check_time(&self, now: Timestamp) -> Result<(), Reason> {
        if self.exp.is_some_and(|exp| exp <= now) {
            return Err(Reason::TokenExpired);
        }
        if self.nbf.is_some_and(|nbf| nbf > now.plus_seconds(NBF_TOLERANCE)) {
            return Err(Reason::TokenNotYetValid);
        }
        Ok(())
    }
}

struct HeaderClaims {
    algorithm: Algorithm,
    kid: Option<String>,
    /// The header names the type of RFC 9068 §2.1.
    is_explicit: bool,
}

fn check_header(header: &Object<'_>, policy: &TokenPolicy) -> Result<HeaderClaims, Reason> {
    let typ = match header.get("typ") {
        None => None,
        Some(typ) => Some(typ.as_str().ok_or(Reason::TokenTypMismatch)?),
    };
    let custom = typ.is_some_and(|typ| policy.types.iter().any(|accepted| accepted == typ));
    if !custom && !policy.profile.rules().types.contains(&typ) {
        return Err(Reason::TokenTypMismatch);
    }
    let algorithm = text(header, "alg")
        .and_then(Algorithm::from_name)
        .filter(|algorithm| policy.algorithms.contains(*algorithm))
        .ok_or(Reason::TokenAlgNotAllowed)?;
    check_critical(header, Reason::TokenCritUnsupported)?;
    if header.get("b64").is_some_and(|b64| *b64 != Value::Bool(true)) {
        return Err(Reason::TokenCritUnsupported);
    }
    let kid = match header.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str().ok_or(Reason::TokenHeaderMalformed)?.to_owned()),
    };
    Ok(HeaderClaims { algorithm, kid, is_explicit: Profile::Rfc9068.rules().types.contains(&typ) })
}

fn check_claims(claims: &Object<'_>, policy: &TokenPolicy) -> Result<usize, Reason> {
    let rules = policy.profile.rules();
    let iss = text(claims, "iss").ok_or(Reason::TokenClaimMissing)?;
    let issuer = policy.issuers.iter().position(|known| known == iss).ok_or(Reason::TokenIssuerMismatch)?;
    if claims.get("aud").is_none() {
        return Err(Reason::TokenClaimMissing);
    }
    check_audience(claims, &policy.audiences)?;
    for name in ["exp", "iat"] {
        date(claims, name, Reason::TokenPayloadMalformed)?.ok_or(Reason::TokenClaimMissing)?;
    }
    let missing = |names: &[&str]| names.iter().any(|name| text(claims, name).is_none());
    if missing(rules.texts) || rules.client.iter().all(|name| text(claims, name).is_none()) {
        return Err(Reason::TokenClaimMissing);
    }
    Ok(issuer)
}

/// That the claims are an access token's, and no other token's of the same issuer (RFC 8725 §3.12).
fn check_kind(claims: &Object<'_>, rules: &ProfileRules) -> Result<(), Reason> {
    let is_named = text(claims, "typ").is_some_and(|typ| rules.claim_types.contains(&typ));
    let has = |name: &str| claims.get(name).is_some();
    if FOREIGN_CLAIMS.into_iter().any(has) || (!is_named && (has("typ") || has(NONCE))) {
        return Err(Reason::TokenTypMismatch);
    }
    Ok(())
}

/// An answer that names a `token_type` says `DPoP` of a token that is bound to a key (RFC 9449 §6.2), and
/// of no other: one that says so without the key has lost it on the way (§6).
fn check_type(answer: &Object<'_>, confirmation: Confirmation) -> Result<Confirmation, Reason> {
    let is_dpop = match answer.get("token_type") {
        None | Some(Value::Null) => return Ok(confirmation),
        // Compared without case (RFC 6749 §5.1).
        Some(named) => named.as_str().is_some_and(|named| named.eq_ignore_ascii_case("DPoP")),
    };
    if is_dpop == confirmation.jkt().is_some() { Ok(confirmation) } else { Err(Reason::TokenTypeMismatch) }
}

/// `aud` is a string or an array of strings (RFC 7519 §4.1.3).
fn check_audience(claims: &Object<'_>, audiences: &[String]) -> Result<(), Reason> {
    let ours = |audience: &str| audiences.iter().any(|known| known == audience);
    let matches = match claims.get("aud") {
        Some(Value::String(audience)) => ours(audience),
        Some(Value::Array(several)) => {
            if several.iter().any(|audience| audience.as_str().is_none()) {
                return Err(Reason::TokenPayloadMalformed);
            }
            several.iter().filter_map(Value::as_str).any(ours)
        }
        _ => return Err(Reason::TokenPayloadMalformed),
    };
    if matches { Ok(()) } else { Err(Reason::TokenAudienceMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JKT: &str = r#""cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#;
    const X5T: &str = r#""cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dgI"}"#;

    fn confirmation(members: &[&str]) -> Result<Confirmation, Reason> {
        let claims = alloc::format!("{{{}}}", members.join(","));
        VerifiedToken::from_source(true, &claims, &[], &[]).and_then(|token| token.confirmation())
    }

    #[test]
    fn a_token_type_that_a_source_names_goes_with_the_binding() {
        for named in [r#""token_type":"DPoP""#, r#""token_type":"dpop""#, r#""token_type":null"#] {
            assert!(confirmation(&[JKT, named]).is_ok(), "{named}");
        }
        for named in [r#""token_type":"Bearer""#, r#""token_type":null"#, r#""token_type":"access_token""#] {
            assert!(confirmation(&[X5T, named]).is_ok(), "{named}");
            assert_eq!(confirmation(&[named]), Ok(Confirmation::None), "{named}");
        }
    }

    #[test]
    fn a_bound_token_that_lost_its_key_or_its_type_on_the_way_is_refused() {
        let mismatch = Err(Reason::TokenTypeMismatch);
        for named in [r#""token_type":"Bearer""#, r#""token_type":"""#, r#""token_type":5"#, r#""token_type":["DPoP"]"#]
        {
            assert_eq!(confirmation(&[JKT, named]), mismatch, "{named}");
        }
        assert_eq!(confirmation(&[r#""token_type":"DPoP""#]), mismatch);
        assert_eq!(confirmation(&[X5T, r#""token_type":"DPoP""#]), mismatch);
        // What is malformed stays malformed.
        assert_eq!(confirmation(&[r#""cnf":5,"token_type":"DPoP""#]), Err(Reason::CnfMalformed));
    }
}
