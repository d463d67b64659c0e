//! Which requests get a token and a proof.

use alloc::{string::String, vec::Vec};

use super::{ClientError, Role};
use crate::target_uri::{RequestTarget, TargetUriError};

/// What holds for all requests of one client at one kind of server.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Rules,
    /// Normal form: `scheme://host[:port]` without a default port.
    origins: Vec<String>,
}

/// What of a policy does not depend on where a request goes.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The kind of server.
    pub role: Role,
    /// Requests to origins that are not listed fail instead of going out plain.
    pub strict: bool,
    /// See [`Policy::dangerously_accept_bearer`].
    pub dangerously_accept_bearer: bool,
}

/// The head of a request, as far as it decides.
#[derive(Clone, Debug)]
pub struct RequestHead<'a, O = String> {
    /// The method as it goes on the wire.
    pub method: &'a str,
    /// Where it goes. What cannot be taken apart (`data:`, plain http to another machine) is in no list.
    pub target: Result<RequestTarget<'a, O>, TargetUriError>,
    /// The media type of the body, with or without parameters; no blanks at its ends, which no field value has (RFC 9110 §5.5).
    pub content_type: Option<&'a str>,
    /// The `Authorization` field that the caller set.
    pub authorization: Option<&'a str>,
    /// Whether the caller set a `DPoP` field.
    pub has_proof: bool,
}

impl<'a> RequestHead<'a> {
    /// A request without body and credentials.
    #[must_use]
    pub fn new(method: &'a str, url: &'a str) -> Self {
        Self::to(method, RequestTarget::of_url(url))
    }
}

impl<'a, O> RequestHead<'a, O> {
    /// The same for a URL that was taken apart.
    #[must_use]
    pub const fn to(method: &'a str, target: Result<RequestTarget<'a, O>, TargetUriError>) -> Self {
        Self { method, target, content_type: None, authorization: None, has_proof: false }
    }
}

/// What becomes of a request.
pub(super) enum Admission {
    /// It gets its proof.
    Bound,
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
        let rules = Rules { role, strict: false, dangerously_accept_bearer: false };
        let mut policy = Self { rules, origins: Vec::new() };
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
        let target = RequestTarget::of_url(url).map_err(|_| ClientError::InvalidUrl)?;
        self.origins.push(target.origin().into());
        Ok(())
    }

    /// Requests to other origins fail instead of going out plain.
    #[must_use]
    pub const fn strict(mut self, strict: bool) -> Self {
        self.rules.strict = strict;
        self
    }

    /// Takes a token of another type than DPoP from the authorization server: it is a bearer
    /// token, and works for whoever has it (RFC 9449 §5).
    #[must_use]
    pub const fn dangerously_accept_bearer(mut self, accept: bool) -> Self {
        self.rules.dangerously_accept_bearer = accept;
        self
    }

    /// The kind of server.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.rules.role
    }

    /// What holds wherever a request goes.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    pub(super) fn lists(&self, request: &RequestHead<'_>) -> bool {
        request.target.as_ref().is_ok_and(|target| self.origins.iter().any(|origin| origin == target.origin()))
    }
}

impl Rules {
    pub(super) fn admit<O>(self, request: &RequestHead<'_, O>, listed: bool) -> Result<Admission, ClientError> {
        if listed && (self.role == Role::ResourceServer || wants_proof(request)) {
            Ok(Admission::Bound)
        } else if !listed && self.strict {
            Err(ClientError::OriginNotAllowed)
        } else {
            Ok(Admission::Plain)
        }
    }
}

/// Token, PAR and revocation requests are form-encoded POSTs (RFC 6749 §4.1.3, RFC 9126 §2.1, RFC
/// 7009 §2.1). A request that has DPoP or Bearer credentials already is none of them: userinfo, or
/// one that another library proved. Client authentication (Basic) is.
fn wants_proof<O>(request: &RequestHead<'_, O>) -> bool {
    let media_type = first_word(request.content_type);
    let scheme = first_word(request.authorization);
    request.method == "POST"
        && media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && !request.has_proof
        && !scheme.eq_ignore_ascii_case("dpop")
        && !scheme.eq_ignore_ascii_case("bearer")
}

/// What stands before the first blank or semicolon: of fields without blanks at their ends.
fn first_word(field: Option<&str>) -> &str {
    let field = field.unwrap_or("");
    let at = field.bytes().position(|octet| octet == b';' || octet.is_ascii_whitespace()).unwrap_or(field.len());
    field.get(..at).unwrap_or(field)
}
