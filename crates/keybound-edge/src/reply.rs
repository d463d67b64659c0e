//! What a decision is answered with: status, fields and body, for any HTTP library.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use keybound_core::{
    json::write_string,
    server::{
        answer::{self, ChallengeContext},
        policy::Scheme,
        reason::{Answer, OAuthError, Reason},
    },
};

/// One field: its name and value.
pub type Field = (&'static str, String);

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The fields, of which `WWW-Authenticate` may stand more than once.
    pub fields: Vec<Field>,
    /// A JSON object; empty where there is nothing to say.
    pub body: String,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    reason: Reason,
    error: Option<OAuthError>,
    reply: Reply,
}

impl Rejected {
    /// The first check that failed. Its code is stable, and no text of the client's is in it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The OAuth error of the answer, if it has one.
    #[must_use]
    pub const fn error(&self) -> Option<OAuthError> {
        self.error
    }

    /// What to answer.
    #[must_use]
    pub const fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The same, for those who are done with the refusal.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        self.reply
    }

    /// A resource server's refusal (RFC 9449 §7.1 and §9, RFC 6750 §3).
    pub(crate) fn at_resource_server(
        context: &ChallengeContext<'_>,
        reason: Reason,
        used: Option<Scheme>,
        nonce: Option<String>,
    ) -> Self {
        let status = answer::status(reason.answer());
        Self::new(reason, reason.answer(), status, answer::refusal(context, reason, used), nonce)
    }

    /// A token endpoint's refusal (RFC 6749 §5.2, RFC 9449 §5 and §8).
    pub(crate) fn at_token_endpoint(reason: Reason, nonce: Option<String>) -> Self {
        let answer = answer::token_endpoint_error(reason);
        let status = if answer == Answer::ServerError { 503 } else { 400 };
        Self::new(reason, answer, status, Vec::new(), nonce)
    }

    fn new(reason: Reason, answer: Answer, status: u16, challenges: Vec<String>, nonce: Option<String>) -> Self {
        let error = match answer {
            Answer::Error(error) => Some(error),
            _ => None,
        };
        let mut fields: Vec<Field> = Vec::new();
        if status == 503 {
            fields.push(("Retry-After", "1".to_owned()));
        }
        fields.extend(challenges.into_iter().map(|challenge| ("WWW-Authenticate", challenge)));
        fields.extend(nonce.map(|nonce| ("DPoP-Nonce", nonce)));
        fields.push(("Cache-Control", "no-store".to_owned()));
        let members = error.map(|error| [("error", error.name()), ("error_description", reason.detail())]);
        Self { reason, error, reply: Reply::new(status, fields, members.as_ref().map_or(&[], |members| members)) }
    }
}

impl Reply {
    /// An answer whose body is a JSON object with these members, if there are any.
    fn new(status: u16, mut fields: Vec<Field>, members: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        for (index, (name, value)) in members.iter().enumerate() {
            body.push(if index == 0 { '{' } else { ',' });
            write_string(name, &mut body);
            body.push(':');
            write_string(value, &mut body);
        }
        if !body.is_empty() {
            body.push('}');
            fields.push(("Content-Type", "application/json".to_owned()));
        }
        Self { status, fields, body }
    }

    /// The 403 of a token that lacks a scope (RFC 6750 §3.1).
    pub(crate) fn insufficient_scope(context: &ChallengeContext<'_>, scope: &str, used: Scheme) -> Self {
        let challenges = answer::insufficient_scope(context, scope, used);
        let mut fields: Vec<Field> = challenges.into_iter().map(|challenge| ("WWW-Authenticate", challenge)).collect();
        fields.push(("Cache-Control", "no-store".to_owned()));
        Self::new(403, fields, &[("error", OAuthError::InsufficientScope.name()), ("scope", scope)])
    }
}

/// The fields of an acceptance: the next nonce where the client's is getting old, never from a cache
/// (RFC 9449 §8.2).
pub(crate) fn nonce_fields(nonce: Option<&str>) -> Vec<Field> {
    nonce.map_or_else(Vec::new, |nonce| {
        [("DPoP-Nonce", nonce), ("Cache-Control", "no-store")].map(|(name, value)| (name, value.to_owned())).into()
    })
}
