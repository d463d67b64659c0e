//! What a refusal is answered with: status and challenges (RFC 9449 §7.1 and §9, RFC 6750 §3, RFC 9728 §5.1).

use alloc::{string::String, vec::Vec};

use crate::{
    algorithm::AlgorithmSet,
    challenge::ChallengeWriter,
    server::{
        policy::{ConstraintPolicy, Scheme},
        reason::{Answer, OAuthError, Reason},
        request::{self, Request},
    },
};

/// What a resource server says of itself in challenges.
#[derive(Clone, Copy, Debug)]
pub struct ChallengeContext<'a> {
    /// Which schemes it takes.
    pub constraint: ConstraintPolicy,
    /// The algorithms that proofs may use (`algs`).
    pub algorithms: AlgorithmSet,
    /// The URL of its RFC 9728 document (`resource_metadata`).
    pub resource_metadata: Option<&'a str>,
}

/// The status code of a refusal at a resource server.
#[must_use]
pub const fn status(answer: Answer) -> u16 {
    match answer {
        Answer::NoCredentials => 401,
        Answer::Error(OAuthError::InvalidRequest) => 400,
        Answer::Error(OAuthError::InsufficientScope) => 403,
        Answer::Error(_) => 401,
        Answer::ServerError => 503,
    }
}

/// The error of a refusal at a token endpoint, whose answers are JSON (RFC 6749 §5.2) with status 400
/// (RFC 9449 §5 and §8). A certificate that is at fault there is no token that is.
#[must_use]
pub const fn token_endpoint_error(reason: Reason) -> Answer {
    match reason.answer() {
        Answer::Error(OAuthError::InvalidToken) => Answer::Error(OAuthError::InvalidRequest),
        answer => answer,
    }
}

/// The challenges of a refusal, one a scheme that the server takes.
#[must_use]
pub fn refusal(context: &ChallengeContext<'_>, reason: Reason, used: Option<Scheme>) -> Vec<String> {
    match reason.answer() {
        Answer::ServerError => Vec::new(),
        Answer::NoCredentials => challenges(context, None, &[]),
        Answer::Error(error) => {
            let parameters = [("error", error.name()), ("error_description", reason.detail())];
            challenges(context, used, &parameters)
        }
    }
}

/// The challenge of a request whose token lacks a scope (RFC 6750 §3.1).
#[must_use]
pub fn insufficient_scope(context: &ChallengeContext<'_>, scope: &str, used: Scheme) -> Vec<String> {
    let error = OAuthError::InsufficientScope.name();
    challenges(context, Some(used), &[("error", error), ("scope", scope)])
}

/// The scheme that a request used, to put the error into its challenge.
#[must_use]
pub fn scheme_used(request: &Request<'_>) -> Option<Scheme> {
    let [field] = request.authorization else { return None };
    let field = request::trim(field);
    if field.contains(',') {
        return None;
    }
    request::scheme_named(field.split(' ').next().unwrap_or(""))
}

/// The error stands in the challenge of the scheme that was used, the other challenge is bare
/// (RFC 9449 §7.2). Where that scheme is not taken, or none can be told, the first one has it.
fn challenges(context: &ChallengeContext<'_>, used: Option<Scheme>, error: &[(&str, &str)]) -> Vec<String> {
    let taken: Vec<Scheme> =
        [Scheme::Dpop, Scheme::Bearer].into_iter().filter(|scheme| context.constraint.takes(*scheme)).collect();
    let blamed = used.filter(|used| taken.contains(used)).or_else(|| taken.first().copied());
    let write = |scheme: Scheme| {
        let mut writer = ChallengeWriter::new(match scheme {
            Scheme::Dpop => "DPoP",
            Scheme::Bearer => "Bearer",
        });
        if Some(scheme) == blamed {
            for (name, value) in error {
                writer = writer.param(name, value);
            }
        }
        if scheme == Scheme::Dpop {
            writer = writer.param("algs", &algs(context.algorithms));
        }
        if let Some(url) = context.resource_metadata {
            writer = writer.param("resource_metadata", url);
        }
        writer.finish()
    };
    taken.iter().map(|scheme| write(*scheme)).collect()
}

/// The algorithms, separated by blanks (RFC 9449 §7.1).
#[must_use]
pub fn algs(algorithms: AlgorithmSet) -> String {
    let mut out = String::new();
    for algorithm in algorithms.iter() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(algorithm.name());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{algorithm::Algorithm, server::policy::Mechanism};

    fn context(mechanism: Mechanism, required: bool) -> ChallengeContext<'static> {
        ChallengeContext {
            constraint: ConstraintPolicy { mechanism, required, ..ConstraintPolicy::default() },
            algorithms: AlgorithmSet::EMPTY.with(Algorithm::Es256).with(Algorithm::Ed25519),
            resource_metadata: None,
        }
    }

    #[test]
    fn nothing_presented_gets_bare_challenges() {
        let either = context(Mechanism::Either, true);
        assert_eq!(refusal(&either, Reason::CredentialsMissing, None), [r#"DPoP algs="ES256 Ed25519""#, "Bearer"]);
        assert_eq!(status(Reason::CredentialsMissing.answer()), 401);
    }

    #[test]
    fn the_error_stands_in_the_challenge_of_the_scheme_used() {
        let either = context(Mechanism::Either, true);
        let challenges = refusal(&either, Reason::DpopTokenAsBearer, Some(Scheme::Bearer));
        assert_eq!(challenges[0], r#"DPoP algs="ES256 Ed25519""#);
        assert!(challenges[1].starts_with(r#"Bearer error="invalid_token", error_description=""#));
        let challenges = refusal(&either, Reason::NonceMissing, Some(Scheme::Dpop));
        assert!(
            challenges[0].starts_with(r#"DPoP error="use_dpop_nonce", "#)
                && challenges[0].ends_with(r#"algs="ES256 Ed25519""#)
        );
        assert_eq!(challenges[1], "Bearer");
        let challenges = refusal(&either, Reason::AuthorizationMultiple, None);
        assert!(challenges[0].contains("invalid_request") && challenges[1] == "Bearer");
        assert_eq!(status(Reason::AuthorizationMultiple.answer()), 400);
    }

    #[test]
    fn only_schemes_that_are_taken_are_named() {
        let dpop = refusal(&context(Mechanism::Dpop, true), Reason::DpopTokenAsBearer, Some(Scheme::Bearer));
        assert_eq!(dpop.len(), 1);
        assert!(dpop[0].starts_with(r#"DPoP error="invalid_token""#));
        assert_eq!(refusal(&context(Mechanism::Mtls, true), Reason::CredentialsMissing, None), ["Bearer"]);
        assert_eq!(refusal(&context(Mechanism::Dpop, false), Reason::CredentialsMissing, None).len(), 2);
    }

    #[test]
    fn a_servers_own_fault_challenges_nobody() {
        assert!(refusal(&context(Mechanism::Either, true), Reason::ReplayStoreFull, None).is_empty());
        assert_eq!(status(Reason::ReplayStoreFull.answer()), 503);
    }

    #[test]
    fn metadata_and_scope_are_quoted() {
        let context = ChallengeContext {
            resource_metadata: Some("https://rs.example/.well-known/x"),
            ..context(Mechanism::Mtls, true)
        };
        assert_eq!(
            insufficient_scope(&context, "read \"x\"", Scheme::Bearer),
            [
                r#"Bearer error="insufficient_scope", scope="read \"x\"", resource_metadata="https://rs.example/.well-known/x""#
            ]
        );
    }
}
