//! Why something did not work.

use keybound_core::{client::ClientError, proof::build::BuildError};
use keybound_webcrypto::KeyPairError;
use wasm_bindgen::JsValue;

/// Why something did not work. [`Error::code`] is stable and the same as in the npm package.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// No proof, or no answer for the caller: the state machine says why.
    Client(ClientError),
    /// SubtleCrypto has no such key, or does not sign.
    Key(KeyPairError),
    /// The key store failed, or gave no answer for 20 seconds (another tab can block it), so it is not known
    /// whether there is a key. No new one was made.
    Storage(JsValue),
    /// The key was deleted, here or in another tab; tokens bound to it are of no use any more.
    KeyLost,
    /// The request's `AbortSignal` fired: before, between or during attempts, or while something was waited for.
    Aborted,
    /// As [`Error::Aborted`], by `AbortSignal.timeout`: server, token source or key source gave no answer in time. Or
    /// an authorization server began an answer and did not end it for half a minute.
    TimedOut,
    /// The network failed, or the browser refused the request.
    Fetch(JsValue),
}

impl Error {
    /// The stable code; empty where the browser's own error says more ([`Error::Fetch`]).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::Key(KeyPairError::Extractable) => "extractable_key",
            Self::Key(KeyPairError::NoSubtleCrypto) => "insecure_context",
            Self::Key(_) => "unsupported_algorithm",
            Self::Storage(_) => "storage_failed",
            Self::KeyLost => "key_lost",
            Self::Aborted | Self::TimedOut => "aborted",
            Self::Fetch(_) => "",
        }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Client(error) => f.write_str(advice(*error)),
            Self::Key(KeyPairError::NoSubtleCrypto) => {
                f.write_str("there is no crypto.subtle: serve the page over https, or from localhost")
            }
            Self::Key(KeyPairError::Extractable) => {
                f.write_str("the private key is extractable: let DpopKey::open make it")
            }
            Self::Key(KeyPairError::UnsupportedAlgorithm) => {
                f.write_str("this browser cannot sign with this algorithm; ES256 works everywhere")
            }
            Self::Key(error) => error.fmt(f),
            Self::Fetch(error) => write!(f, "the request failed: {error:?}"),
            Self::Storage(error) => write!(f, "the key store failed, and no new key was made, try again: {error:?}"),
            Self::KeyLost => f.write_str("the key was deleted: open a new one and log in again"),
            Self::Aborted => f.write_str("the request was aborted"),
            Self::TimedOut => f.write_str("the request was aborted: the answer took longer than it may"),
        }
    }
}

/// What a person has to change.
const fn advice(error: ClientError) -> &'static str {
    match error {
        ClientError::OriginNotAllowed => "the origin is not among those that the token may go to",
        ClientError::InvalidUrl | ClientError::Proof(BuildError::Url(_)) => {
            "not an absolute https URL (http is for loopback hosts only)"
        }
        ClientError::RedirectRefused => {
            "the server redirects, and token and proof are not sent on: request the final URL"
        }
        ClientError::BodyNotReplayable => {
            "the server wants a nonce first, and the body is too large to keep: make a small request before, or raise \
             replayable_body_bytes"
        }
        ClientError::NonceRejected => "the server asks for a nonce again and again, or gives none that can be one",
        ClientError::NonceHidden => {
            "CORS hides the server's nonce: it has to answer with \
             Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate, Date"
        }
        ClientError::TokenDowngraded => {
            "the token is not bound to the key, its token_type is not DPoP: is the client registered for DPoP?"
        }
        ClientError::TokenKeyMismatch => {
            "the token is bound to another key: log in again, or give the key of this token"
        }
        ClientError::Proof(BuildError::AlgorithmMismatch) => "the key cannot sign with this algorithm",
        ClientError::Proof(BuildError::Method) => "the method is no HTTP token",
        ClientError::Proof(BuildError::AccessToken) => {
            "the access token is empty, or has a character that no DPoP token may have"
        }
        ClientError::Proof(BuildError::Nonce) => "the nonce has a character that no nonce may have",
        ClientError::Proof(BuildError::ClaimName) => "a further claim has a registered name, or stands twice",
        ClientError::Proof(BuildError::ClaimValue) => "a further claim's value is no JSON",
        // A fault of this crate, not of its caller.
        _ => error.code(),
    }
}

impl core::error::Error for Error {}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<KeyPairError> for Error {
    fn from(error: KeyPairError) -> Self {
        Self::Key(error)
    }
}
