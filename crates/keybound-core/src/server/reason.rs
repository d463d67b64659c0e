//! Every reason for which a request is refused, in one table: its stable code, the OAuth error it
//! is answered with, the check that found it, and a sentence for logs. Nothing a client sent is in it.

/// The OAuth error of an answer (RFC 6749 §5.2, RFC 6750 §3.1, RFC 9449 §7.1 and §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OAuthError {
    /// `invalid_request`: malformed in a way that is no fault of token or proof.
    InvalidRequest,
    /// `invalid_client`.
    InvalidClient,
    /// `invalid_dpop_proof`: the proof is missing or at fault.
    InvalidDpopProof,
    /// `use_dpop_nonce`: the proof needs a nonce of this server.
    UseDpopNonce,
    /// `invalid_token`: the token is at fault, or does not belong to this key or certificate.
    InvalidToken,
    /// `insufficient_scope`.
    InsufficientScope,
    /// `invalid_grant`: the grant does not belong to this key or certificate.
    InvalidGrant,
}

impl OAuthError {
    /// The value of the `error` parameter.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidGrant => "invalid_grant",
        }
    }
}

/// How a refusal is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// Nothing was presented: 401 with bare challenges (RFC 6750 §3.1).
    NoCredentials,
    /// An OAuth error.
    Error(OAuthError),
    /// The fault is this server's: 503, never an acceptance.
    ServerError,
}

/// The checks in the order in which they are made. A refusal names the first that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// One `Authorization` field with one known scheme and a token.
    Credentials,
    /// Exactly one `DPoP` field.
    ProofField,
    /// The proof's size.
    ProofSize,
    /// Three parts of strict base64url that hold JSON objects.
    ProofForm,
    /// `typ`.
    ProofType,
    /// `alg`.
    ProofAlgorithm,
    /// `jwk`.
    ProofKey,
    /// `crit` and `b64`.
    ProofCritical,
    /// The required claims are there and of their types.
    ProofClaims,
    /// `htm`.
    ProofMethod,
    /// `htu`.
    ProofTarget,
    /// `iat`, `exp` and `nbf`.
    ProofTime,
    /// `ath`.
    ProofTokenHash,
    /// `nonce`.
    ProofNonce,
    /// The access token's form, header and claims, or the answer of its source.
    Token,
    /// The access token's signature.
    TokenSignature,
    /// The proof's signature.
    ProofSignature,
    /// The constraint that the token carries is one that this server takes.
    Confirmation,
    /// The proof's key is the token's.
    KeyBinding,
    /// The connection's certificate is the token's.
    CertificateBinding,
    /// The proof was not seen before.
    Replay,
}

impl Check {
    /// All of them, in order.
    pub const ALL: [Self; 21] = [
        Self::Credentials,
        Self::ProofField,
        Self::ProofSize,
        Self::ProofForm,
        Self::ProofType,
        Self::ProofAlgorithm,
        Self::ProofKey,
        Self::ProofCritical,
        Self::ProofClaims,
        Self::ProofMethod,
        Self::ProofTarget,
        Self::ProofTime,
        Self::ProofTokenHash,
        Self::ProofNonce,
        Self::Token,
        Self::TokenSignature,
        Self::ProofSignature,
        Self::Confirmation,
        Self::KeyBinding,
        Self::CertificateBinding,
        Self::Replay,
    ];

    /// A stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// Where the standards ask for it.
    #[must_use]
    pub const fn section(self) -> &'static str {
        self.entry().1
    }

    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::Credentials => ("credentials", "RFC 9449 §7.1, RFC 6750 §2.1"),
            Self::ProofField => ("proof_field", "RFC 9449 §4.3 check 1"),
            Self::ProofSize => ("proof_size", "RFC 9449 §11.1"),
            Self::ProofForm => ("proof_form", "RFC 9449 §4.3 check 2"),
            Self::ProofType => ("proof_typ", "RFC 9449 §4.3 check 4"),
            Self::ProofAlgorithm => ("proof_alg", "RFC 9449 §4.3 check 5"),
            Self::ProofKey => ("proof_jwk", "RFC 9449 §4.3 check 7"),
            Self::ProofCritical => ("proof_crit", "RFC 7515 §4.1.11, RFC 7797 §7"),
            Self::ProofClaims => ("proof_claims", "RFC 9449 §4.3 check 3"),
            Self::ProofMethod => ("proof_htm", "RFC 9449 §4.3 check 8"),
            Self::ProofTarget => ("proof_htu", "RFC 9449 §4.3 check 9"),
            Self::ProofTime => ("proof_iat", "RFC 9449 §4.3 check 11"),
            Self::ProofTokenHash => ("proof_ath", "RFC 9449 §4.3 check 12"),
            Self::ProofNonce => ("proof_nonce", "RFC 9449 §4.3 check 10"),
            Self::Token => ("token", "RFC 9068 §4, RFC 7662 §2.2"),
            Self::TokenSignature => ("token_signature", "RFC 9068 §4"),
            Self::ProofSignature => ("proof_signature", "RFC 9449 §4.3 check 6"),
            Self::Confirmation => ("confirmation", "RFC 9449 §6 and §7.2, RFC 7800 §3.1"),
            Self::KeyBinding => ("key_binding", "RFC 9449 §4.3 check 12"),
            Self::CertificateBinding => ("certificate_binding", "RFC 8705 §3"),
            Self::Replay => ("replay", "RFC 9449 §11.1"),
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $answer:expr, $check:ident, $detail:literal;)+) => {
        /// Why a request was refused. The codes are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $detail] $(#[$doc])* $variant,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, such as `htu_path_mismatch`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// How it is answered.
            #[must_use]
            pub const fn answer(self) -> Answer {
                match self { $(Self::$variant => $answer,)+ }
            }

            /// The check that failed.
            #[must_use]
            pub const fn check(self) -> Check {
                match self { $(Self::$variant => Check::$check,)+ }
            }

            /// A sentence for logs and `error_description`, from a fixed list.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)+ }
            }
        }
    };
}

const REQUEST: Answer = Answer::Error(OAuthError::InvalidRequest);
const PROOF: Answer = Answer::Error(OAuthError::InvalidDpopProof);
const NONCE: Answer = Answer::Error(OAuthError::UseDpopNonce);
const TOKEN: Answer = Answer::Error(OAuthError::InvalidToken);
const GRANT: Answer = Answer::Error(OAuthError::InvalidGrant);

reasons! {
    CredentialsMissing = "credentials_missing", Answer::NoCredentials, Credentials, "No access token was presented";
    SchemeUnsupported = "scheme_unsupported", Answer::NoCredentials, Credentials, "The authentication scheme is neither DPoP nor Bearer";
    AuthorizationMultiple = "authorization_multiple", REQUEST, Credentials, "More than one set of credentials was presented";
    AuthorizationMalformed = "authorization_malformed", REQUEST, Credentials, "The Authorization field holds no token";
    TokenNotToken68 = "token_malformed", TOKEN, Credentials, "The access token has characters that no token may have";
    TokenTooLarge = "token_too_large", TOKEN, Credentials, "The access token is too large";
    TargetUnknown = "target_unknown", REQUEST, Credentials, "The request's URL is none that this server answers for";
    ProofMissing = "proof_missing", PROOF, ProofField, "The DPoP field is missing";
    ProofMultiple = "proof_multiple", PROOF, ProofField, "There is more than one DPoP field";
    ProofTooLarge = "proof_too_large", PROOF, ProofSize, "The proof is too large";
    ProofNotCompact = "proof_not_compact", PROOF, ProofForm, "The proof is no JWT in compact form";
    ProofNotBase64Url = "proof_not_base64url", PROOF, ProofForm, "A part of the proof is not unpadded, canonical base64url";
    ProofHeaderNotJson = "proof_header_malformed", PROOF, ProofForm, "The proof's header is no strict JSON object";
    ProofPayloadNotJson = "proof_payload_malformed", PROOF, ProofForm, "The proof's payload is no strict JSON object";
    ProofDuplicateMember = "proof_duplicate_member", PROOF, ProofForm, "A name stands twice in the proof's JSON";
    TypMissing = "typ_missing", PROOF, ProofType, "The proof has no typ";
    TypMismatch = "typ_mismatch", PROOF, ProofType, "The proof's typ is not dpop+jwt";
    AlgMissing = "alg_missing", PROOF, ProofAlgorithm, "The proof has no alg";
    AlgUnsupported = "alg_unsupported", PROOF, ProofAlgorithm, "The proof's alg is no asymmetric algorithm that is known here";
    AlgNotAllowed = "alg_not_allowed", PROOF, ProofAlgorithm, "The proof's alg is not allowed here";
    JwkMissing = "jwk_missing", PROOF, ProofKey, "The proof has no jwk object";
    JwkPrivate = "jwk_private", PROOF, ProofKey, "The proof's jwk has a private member";
    JwkMalformed = "jwk_malformed", PROOF, ProofKey, "The proof's jwk is malformed";
    JwkUnsupported = "jwk_unsupported", PROOF, ProofKey, "The proof's jwk is of a type that is not known here";
    JwkInvalid = "jwk_invalid", PROOF, ProofKey, "The proof's jwk is no valid public key";
    JwkUsage = "jwk_usage", PROOF, ProofKey, "The proof's jwk is marked for another use";
    JwkAlgMismatch = "jwk_alg_mismatch", PROOF, ProofKey, "The proof's alg does not go with its jwk";
    CritUnsupported = "crit_unsupported", PROOF, ProofCritical, "The proof names a critical extension";
    B64Unsupported = "b64_unsupported", PROOF, ProofCritical, "The proof uses an unencoded payload";
    JtiMissing = "jti_missing", PROOF, ProofClaims, "The proof has no jti string";
    JtiTooLong = "jti_too_long", PROOF, ProofClaims, "The proof's jti is too long";
    HtmMissing = "htm_missing", PROOF, ProofClaims, "The proof has no htm string";
    HtuMissing = "htu_missing", PROOF, ProofClaims, "The proof has no htu string";
    IatMissing = "iat_missing", PROOF, ProofClaims, "The proof has no iat number";
    AthMissing = "ath_missing", PROOF, ProofClaims, "The proof has no ath string";
    NonceMalformed = "nonce_malformed", PROOF, ProofClaims, "The proof's nonce is no string";
    ClaimMalformed = "claim_malformed", PROOF, ProofClaims, "The proof's exp or nbf is no number";
    HtmMismatch = "htm_mismatch", PROOF, ProofMethod, "The proof is for another method";
    HtuMalformed = "htu_malformed", PROOF, ProofTarget, "The proof's htu is no https URI";
    HtuNotHttps = "htu_not_https", PROOF, ProofTarget, "DPoP needs https";
    HtuSchemeMismatch = "htu_scheme_mismatch", PROOF, ProofTarget, "The proof is for another scheme";
    HtuHostMismatch = "htu_host_mismatch", PROOF, ProofTarget, "The proof is for another host";
    HtuPortMismatch = "htu_port_mismatch", PROOF, ProofTarget, "The proof is for another port";
    HtuPathMismatch = "htu_path_mismatch", PROOF, ProofTarget, "The proof is for another path";
    IatTooOld = "iat_too_old", PROOF, ProofTime, "The proof was made too long ago";
    IatInFuture = "iat_in_future", PROOF, ProofTime, "The proof was made in the future";
    ProofExpired = "proof_expired", PROOF, ProofTime, "The proof's exp has passed";
    ProofNotYetValid = "proof_not_yet_valid", PROOF, ProofTime, "The proof's nbf has not come";
    AthMismatch = "ath_mismatch", PROOF, ProofTokenHash, "The proof is for another access token";
    NonceMissing = "nonce_missing", NONCE, ProofNonce, "The proof needs a nonce of this server";
    NonceStale = "nonce_stale", NONCE, ProofNonce, "The proof's nonce is too old";
    NonceUnknown = "nonce_unknown", NONCE, ProofNonce, "The proof's nonce is none of this server's";
    TokenNotJwt = "token_not_jwt", TOKEN, Token, "The access token is no JWT in compact form";
    TokenHeaderMalformed = "token_header_malformed", TOKEN, Token, "The access token's header is malformed";
    TokenPayloadMalformed = "token_payload_malformed", TOKEN, Token, "The access token's claims are malformed";
    TokenTypMismatch = "token_typ_mismatch", TOKEN, Token, "The JWT is no access token";
    TokenAlgNotAllowed = "token_alg_not_allowed", TOKEN, Token, "The access token's alg is not allowed here";
    TokenCritUnsupported = "token_crit_unsupported", TOKEN, Token, "The access token names a critical extension";
    TokenClaimMissing = "token_claim_missing", TOKEN, Token, "The access token lacks a required claim";
    TokenIssuerMismatch = "token_issuer_mismatch", TOKEN, Token, "The access token is of another issuer";
    TokenAudienceMismatch = "token_audience_mismatch", TOKEN, Token, "The access token is for another audience";
    TokenExpired = "token_expired", TOKEN, Token, "The access token has expired";
    TokenNotYetValid = "token_not_yet_valid", TOKEN, Token, "The access token is not valid yet";
    TokenInactive = "token_inactive", TOKEN, Token, "The access token is not active";
    TokenKeyUnknown = "token_key_unknown", TOKEN, TokenSignature, "The access token is signed with a key that the issuer does not publish";
    TokenSignatureInvalid = "token_signature_invalid", TOKEN, TokenSignature, "The access token's signature does not verify";
    TokenAlgUnavailable = "token_alg_unavailable", TOKEN, TokenSignature, "The access token's alg is not available on this platform";
    TokenSourceUnavailable = "token_source_unavailable", Answer::ServerError, Token, "The token's issuer could not be asked";
    ProofSignatureInvalid = "proof_signature_invalid", PROOF, ProofSignature, "The proof's signature does not verify";
    ProofAlgUnavailable = "proof_alg_unavailable", PROOF, ProofSignature, "The proof's alg is not available on this platform";
    CnfMalformed = "cnf_malformed", TOKEN, Confirmation, "The access token's cnf is malformed";
    CnfUnknown = "cnf_unknown", TOKEN, Confirmation, "The access token's cnf has no member that is known here";
    TokenTypeMismatch = "token_type_mismatch", TOKEN, Confirmation, "The token_type that the access token's source names does not go with its cnf";
    DpopTokenAsBearer = "dpop_token_as_bearer", TOKEN, Confirmation, "A DPoP-bound token was presented as a Bearer token";
    TokenNotBound = "token_not_bound", TOKEN, Confirmation, "The access token is bound to no key";
    TokenNotDpopBound = "token_not_dpop_bound", TOKEN, Confirmation, "The access token is not bound to a DPoP key";
    TokenNotCertificateBound = "token_not_certificate_bound", TOKEN, Confirmation, "The access token is not bound to a client certificate";
    ClientTypeUnavailable = "client_type_unavailable", Answer::ServerError, Confirmation, "Nobody could tell the client's type";
    JktMismatch = "jkt_mismatch", TOKEN, KeyBinding, "The access token is bound to another key than the proof's";
    CertificateMissing = "certificate_missing", TOKEN, CertificateBinding, "The access token is bound to a certificate, and the client presented none";
    CertificateMismatch = "certificate_mismatch", TOKEN, CertificateBinding, "The access token is bound to another certificate";
    CertificateUnverified = "certificate_unverified", TOKEN, CertificateBinding, "The platform did not verify the client's certificate";
    CertificateRevoked = "certificate_revoked", TOKEN, CertificateBinding, "The client's certificate is revoked";
    CertificateMalformed = "certificate_malformed", TOKEN, CertificateBinding, "What the platform reports is no certificate or thumbprint";
    CertificateSha1 = "certificate_sha1", TOKEN, CertificateBinding, "What the platform reports is a SHA-1 fingerprint";
    CertificateHeaderRepeated = "certificate_header_repeated", TOKEN, CertificateBinding, "The certificate's field is there more than once";
    CertificateTooLarge = "certificate_too_large", TOKEN, CertificateBinding, "The certificate is too large";
    CertificateRefused = "certificate_refused", TOKEN, CertificateBinding, "The client's certificate was refused";
    CertificateSourceUnavailable = "certificate_source_unavailable", Answer::ServerError, CertificateBinding, "The certificate source gave no answer";
    ProofReplayed = "proof_replayed", PROOF, Replay, "The proof was used before";
    ReplayStoreUnavailable = "replay_store_unavailable", Answer::ServerError, Replay, "The replay store gave no answer";
    ReplayStoreFull = "replay_store_full", Answer::ServerError, Replay, "The replay store is full";
    NonceSourceUnavailable = "nonce_source_unavailable", Answer::ServerError, ProofNonce, "The nonce checker gave no answer";
    Overloaded = "overloaded", Answer::ServerError, Credentials, "Too many requests wait for an answer";
    GrantKeyMismatch = "grant_key_mismatch", GRANT, KeyBinding, "The grant is bound to another key";
    GrantCertificateMismatch = "grant_certificate_mismatch", GRANT, CertificateBinding, "The grant is bound to another certificate";
    GrantProofMissing = "grant_proof_missing", GRANT, KeyBinding, "The grant is bound to a key, and no proof was presented";
    DpopRequired = "dpop_required", REQUEST, ProofField, "This client must use DPoP";
    PushedKeyMismatch = "pushed_key_mismatch", PROOF, KeyBinding, "dpop_jkt and the proof name different keys";
    CertificateRequired = "certificate_required", REQUEST, CertificateBinding, "This client must present its certificate";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_differ_and_details_fit_a_quoted_string() {
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert!(Reason::ALL[..index].iter().all(|other| other.code() != reason.code()), "{reason:?}");
            assert!(
                reason
                    .code()
                    .bytes()
                    .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_')
            );
            // RFC 6749 §5.2: no quotes, no backslashes, nothing outside printable ASCII.
            assert!(
                reason.detail().bytes().all(|o| matches!(o, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
                "{reason:?}"
            );
        }
    }

    #[test]
    fn checks_are_listed_in_their_order() {
        assert!(Check::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
