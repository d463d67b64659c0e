//! Why something did not work.

use keybound_core::client::ClientError;
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
    /// The key store failed, so it is not known whether there is a key. No new one was made.
    Storage(JsValue),
    /// The key was deleted; tokens bound to it are of no use any more.
    KeyLost,
    /// The request was aborted.
    Aborted,
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
            Self::Aborted => "aborted",
            Self::Fetch(_) => "",
        }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Fetch(error) => write!(f, "the request failed: {error:?}"),
            Self::Storage(error) => write!(f, "the key store failed: {error:?}"),
            _ => f.write_str(self.code()),
        }
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
