//! Access tokens, and where they come from.

use alloc::string::String;

use keybound_core::client::Token;

/// An access token, and what is known of it.
///
/// Token and thumbprint are read as one, so that a refresh cannot tear them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundToken {
    /// The token, as it goes after `DPoP ` in `Authorization` (RFC 9449 §7.1).
    pub access_token: String,
    /// Its `token_type`, where known; another than `DPoP` (in any case) is
    /// [`TokenDowngraded`](keybound_core::client::ClientError::TokenDowngraded) (RFC 9449 §5).
    pub token_type: Option<String>,
    /// The RFC 7638 SHA-256 thumbprint of its key, base64url (`jkt`, RFC 9449 §6), where known; another than the
    /// client's is [`TokenKeyMismatch`](keybound_core::client::ClientError::TokenKeyMismatch) before anything is
    /// sent.
    pub thumbprint: Option<String>,
    /// By how many seconds the clock of the server that issued it is ahead of this machine's, where known:
    /// proofs follow it until the API's own clock is known.
    /// [`Client::clock_offset`](super::Client::clock_offset) of the client that got the token says it.
    pub clock_offset: Option<i64>,
}

impl BoundToken {
    /// A token of which no more is known.
    #[must_use]
    pub fn new(access_token: impl Into<String>) -> Self {
        Self { access_token: access_token.into(), token_type: None, thumbprint: None, clock_offset: None }
    }

    /// The value of `Authorization` (RFC 9449 §7.1).
    pub(super) fn authorization(&self) -> String {
        ["DPoP ", &self.access_token].concat()
    }

    pub(super) fn as_token(&self) -> Token<'_> {
        Token {
            token_type: self.token_type.as_deref(),
            thumbprint: self.thumbprint.as_deref(),
            ..Token::new(&self.access_token)
        }
    }
}

/// Where the access token comes from.
#[allow(async_fn_in_trait, reason = "JavaScript has one thread")]
pub trait TokenSource {
    /// Called before each attempt; `None`: nobody is logged in, the request goes out plain.
    /// `stale`: the server just answered `invalid_token` (RFC 6750 §3.1); another token than before earns one
    /// more attempt.
    ///
    /// The request's `AbortSignal` ends the wait for it.
    async fn token(&self, stale: bool) -> Option<BoundToken>;
}

impl TokenSource for BoundToken {
    async fn token(&self, _stale: bool) -> Option<BoundToken> {
        Some(self.clone())
    }
}

/// For authorization servers: requests there carry no access token.
#[derive(Clone, Copy, Debug)]
pub struct NoToken;

impl TokenSource for NoToken {
    async fn token(&self, _stale: bool) -> Option<BoundToken> {
        None
    }
}
