//! The client's side of a request, as a state machine that does no I/O (RFC 9449 §4.2, §5, §7-9).
//!
//! An [`Exchange`] is one request's life: which token, may it go to this server, which nonce, what
//! to sign, and after the answer whether to store a nonce, try once more, or stop with a reason. A
//! driver (TypeScript in the npm package, web-sys in `keybound-browser`) carries out the
//! [`Command`] that it is handed and answers with an [`Event`]:
//!
//! | command | what the driver does | event |
//! |---|---|---|
//! | [`AskToken`](Command::AskToken) | asks the application | [`Token`](Event::Token) |
//! | [`Prepare`](Command::Prepare) | takes key, stored nonce, clock and random octets | [`Prepared`](Event::Prepared) |
//! | [`Send`](Command::Send) | signs, sends, waits for the head of the answer | [`Answered`](Event::Answered) |
//! | [`ReadBody`](Command::ReadBody) | reads a copy of the answer's JSON | [`Body`](Event::Body) |
//! | [`StoreNonce`](Command::StoreNonce), [`AdjustClock`](Command::AdjustClock), [`Follow`](Command::Follow), [`Report`](Command::Report) | does so | [`Done`](Event::Done) |
//! | [`PassThrough`](Command::PassThrough), [`Return`](Command::Return), [`Fail`](Command::Fail) | ends | |
//!
//! ```
//! use keybound_core::client::{Command, Event, Exchange, Policy, RequestHead, Token};
//!
//! let policy = Policy::resource_server(["https://api.example"]).unwrap();
//! let (mut exchange, command) = Exchange::begin(&policy, &RequestHead::new("GET", "https://api.example/items"));
//! assert_eq!(command, Command::AskToken { stale: false });
//! let command = exchange.handle(Event::Token(Some(Token::new("2YotnFZFEjr1zCsicMWpAA"))));
//! assert_eq!(command, Command::Prepare);
//!
//! // Another origin never sees the token.
//! let (_, command) = Exchange::begin(&policy, &RequestHead::new("GET", "https://elsewhere.example/"));
//! assert_eq!(command, Command::PassThrough);
//! ```

mod clock;
mod exchange;
mod nonces;
mod policy;

pub use exchange::{Answer, BodyKind, Command, Event, Exchange, Preparation, Report, RetryReason, Token, TokenAnswer};
pub use nonces::NonceCache;
pub use policy::{Policy, RequestHead, Rules};

use crate::proof::build::BuildError;

/// Which kind of server a request goes to. Nonces of one are never shown to the other (RFC 9449 §8, §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Takes token, PAR and revocation requests; proofs without `ath`.
    AuthorizationServer,
    /// Takes access tokens; proofs with `ath`.
    ResourceServer,
}

/// Why a request ended without an answer for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The policy is strict, and the request goes to an origin that it does not list.
    OriginNotAllowed,
    /// A listed origin is not `https` (or loopback `http`), or is no URL.
    InvalidUrl,
    /// The server redirects, and following would send token and proof where nobody looked.
    RedirectRefused,
    /// One more attempt was needed, and the body was too large to keep for it.
    BodyNotReplayable,
    /// The server asked again for a nonce after it got the one it gave, or gave none that can be one.
    NonceRejected,
    /// The server asked for a nonce, and CORS hides the one it gave.
    NonceHidden,
    /// The token is not DPoP-bound (RFC 9449 §5): `token_type` is something else.
    TokenDowngraded,
    /// The token is bound to another key than the one that would sign.
    TokenKeyMismatch,
    /// No proof could be made.
    Proof(BuildError),
    /// The driver answered a command with an event of another one.
    OutOfTurn,
}

impl ClientError {
    /// The stable code, the same as in the npm package.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::InvalidUrl | Self::Proof(BuildError::Url(_) | BuildError::Method) => "invalid_url",
            Self::RedirectRefused => "redirect_refused",
            Self::BodyNotReplayable => "body_not_replayable",
            Self::NonceRejected => "nonce_rejected",
            Self::NonceHidden => "nonce_hidden",
            Self::TokenDowngraded => "token_downgraded",
            Self::TokenKeyMismatch => "token_key_mismatch",
            Self::Proof(BuildError::AlgorithmMismatch) => "unsupported_algorithm",
            Self::Proof(_) => "invalid_claim",
            Self::OutOfTurn => "out_of_turn",
        }
    }
}
