//! Which requests get a token and a proof.

use alloc::{string::String, vec::Vec};

use super::{ClientError, Role};
use crate::target_uri;

/// What holds for all requests of one client at one kind of server.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) role: Role,
    /// Normal form: `scheme://host[:port]` without a default port.
    origins: Vec<String>,
    strict: bool,
    pub(super) accept_bearer: bool,
}

/// The head of a request, as far as it decides.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method as it goes on the wire.
    pub method: &'a str,
    /// The absolute URL.
    pub url: &'a str,
    /// The media type of the body, with or without parameters.
    pub content_type: Option<&'a str>,
    /// The `Authorization` field that the caller set.
    pub authorization: Option<&'a str>,
    /// Whether the caller set a `DPoP` field.
    pub has_proof: bool,
}

impl<'a> RequestHead<'a> {
    /// A request without body and credentials.
    #[must_use]
    pub const fn new(method: &'a str, url: &'a str) -> Self {
        Self { method, url, content_type: None, authorization: None, has_proof: false }
    }
}

/// What becomes of a request.
pub(super) enum Admission {
    /// It gets its proof; its server's origin.
    Bound(String),
    /// It goes out as it came.
    Plain,
}

impl Policy {
    /// Requests to resource servers at these origins carry an access token and a proof.
    ///
    /// # Errors
    /// [`ClientError::InvalidUrl`]: not `https` (or loopback `http`).
    pub fn resource_server<I>(origins: I) -> Result<Self, ClientError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::new(Role::ResourceServer, origins)
    }

    /// Form-encoded POSTs to authorization servers at these origins carry a proof.
    ///
    /// # Errors
    /// As [`Policy::resource_server`].
    pub fn authorization_server<I>(origins: I) -> Result<Self, ClientError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self::new(Role::AuthorizationServer, origins)
    }

    fn new<I>(role: Role, origins: I) -> Result<Self, ClientError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut policy = Self { role, origins: Vec::new(), strict: false, accept_bearer: false };
        for origin in origins {
            policy.add_origin(origin.as_ref())?;
        }
        Ok(policy)
    }

    /// Adds the origin of a URL to those that may see the token.
    ///
    /// # Errors
    /// As [`Policy::resource_server`].
    pub fn add_origin(&mut self, url: &str) -> Result<(), ClientError> {
        let target = target_uri::for_request(url).map_err(|_| ClientError::InvalidUrl)?;
        self.origins.push(target.origin());
        Ok(())
    }

    /// Requests to other origins fail instead of going out plain.
    #[must_use]
    pub const fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Takes a token of another type than DPoP from the authorization server: it is a bearer
    /// token, and works for whoever has it (RFC 9449 §5).
    #[must_use]
    pub const fn dangerously_accept_bearer(mut self, accept: bool) -> Self {
        self.accept_bearer = accept;
        self
    }

    /// The kind of server.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    pub(super) fn admit(&self, request: &RequestHead<'_>) -> Result<Admission, ClientError> {
        // What cannot be taken apart (`data:`, plain http to another machine) is in no list either.
        let origin = target_uri::for_request(request.url)
            .map(|target| target.origin())
            .ok()
            .filter(|origin| self.origins.contains(origin));
        match origin {
            Some(origin) if self.role == Role::ResourceServer || wants_proof(request) => Ok(Admission::Bound(origin)),
            None if self.strict => Err(ClientError::OriginNotAllowed),
            _ => Ok(Admission::Plain),
        }
    }
}

/// Token, PAR and revocation requests are form-encoded POSTs (RFC 6749 §4.1.3, RFC 9126 §2.1, RFC
/// 7009 §2.1). A request that has DPoP or Bearer credentials already is none of them: userinfo, or
/// one that another library proved. Client authentication (Basic) is.
fn wants_proof(request: &RequestHead<'_>) -> bool {
    let media_type = before(request.content_type.unwrap_or(""), |octet| octet == b';').trim_ascii();
    let scheme = before(request.authorization.unwrap_or("").trim_ascii_start(), |octet| octet.is_ascii_whitespace());
    request.method == "POST"
        && media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && !request.has_proof
        && !scheme.eq_ignore_ascii_case("dpop")
        && !scheme.eq_ignore_ascii_case("bearer")
}

/// What stands before the first octet that ends it.
fn before(text: &str, ends: fn(u8) -> bool) -> &str {
    let at = text.bytes().position(ends).unwrap_or(text.len());
    text.get(..at).unwrap_or(text)
}
