//! What an application is told beside its answers.

use alloc::string::String;

use keybound_core::client::RetryReason;

/// Something that an application may want to know, log or show. See [`Client::on_event`](super::Client::on_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The request is sent once more, with a fresh proof (RFC 9449 §7.3, §8, §9).
    Retry {
        /// Why.
        reason: RetryReason,
        /// The request's.
        url: String,
    },
    /// The server's clock is this many seconds further ahead of ours (or behind, if negative) than was known;
    /// proofs follow it from now on.
    ClockSkew {
        /// Whole seconds.
        seconds: i64,
    },
    /// The key was deleted, here or in another tab: open a new one and log in again.
    KeyLost {
        /// What it was opened as; empty for a pair made elsewhere.
        name: String,
    },
    /// CORS hides the server's nonce: its answers lack
    /// `Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate, Date`.
    NonceHidden {
        /// The request's.
        url: String,
    },
}
