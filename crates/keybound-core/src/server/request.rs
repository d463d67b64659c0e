//! The fields of a request that carry credentials (RFC 9449 §4.1 and §7.1, RFC 6750 §2.1).

use crate::{
    challenge::is_token68_text,
    server::{policy::Scheme, reason::Reason},
};

/// The longest access token that is looked at, in octets.
pub const MAX_TOKEN_BYTES: usize = 32 * 1024;

/// A request as a resource server sees it. Repeated fields come one by one, or joined by commas as
/// `Headers` of the Fetch standard joins them: both read the same.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as it came over the wire.
    pub method: &'a str,
    /// The absolute target URI as clients see it.
    pub url: &'a str,
    /// The values of `Authorization`.
    pub authorization: &'a [&'a str],
    /// The values of `DPoP`.
    pub dpop: &'a [&'a str],
}

/// A scheme and its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The scheme, which was compared without case (RFC 9110 §11.1).
    pub scheme: Scheme,
    /// The token exactly as it stands after the scheme.
    pub token: &'a str,
}

/// Reads the `Authorization` field.
///
/// # Errors
/// Nothing was presented, more than one set of credentials was (RFC 9449 §7.2), or what was is malformed.
pub fn credentials<'a>(fields: &[&'a str]) -> Result<Credentials<'a>, Reason> {
    let field = match fields {
        [] => return Err(Reason::CredentialsMissing),
        [field] => trim(field),
        _ => return Err(Reason::AuthorizationMultiple),
    };
    if field.is_empty() {
        return Err(Reason::CredentialsMissing);
    }
    let end = field.bytes().position(is_blank).unwrap_or(field.len());
    let (name, rest) = field.split_at_checked(end).unwrap_or((field, ""));
    let Some(scheme) = scheme_named(name) else {
        return Err(if mentions_ours(field) { Reason::AuthorizationMultiple } else { Reason::SchemeUnsupported });
    };
    // credentials = scheme 1*SP token68
    let blanks = rest.bytes().take_while(|octet| *octet == b' ').count();
    let token = rest.get(blanks..).unwrap_or("");
    if token.is_empty() || token.starts_with('\t') {
        return Err(Reason::AuthorizationMalformed);
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Reason::TokenTooLarge);
    }
    if token.contains(',') {
        return Err(Reason::AuthorizationMultiple);
    }
    if !is_token68_text(token) {
        return Err(Reason::TokenNotToken68);
    }
    Ok(Credentials { scheme, token })
}

/// Reads the `DPoP` field. A comma means that there were two (RFC 9449 §4.3 check 1).
///
/// # Errors
/// There is none, or more than one.
pub fn proof<'a>(fields: &[&'a str]) -> Result<&'a str, Reason> {
    match fields {
        [] => Err(Reason::ProofMissing),
        [field] => {
            let field = trim(field);
            if field.is_empty() {
                Err(Reason::ProofMissing)
            } else if field.contains(',') {
                Err(Reason::ProofMultiple)
            } else {
                Ok(field)
            }
        }
        _ => Err(Reason::ProofMultiple),
    }
}

/// Optional white space around a field value is not part of it (RFC 9110 §5.5).
pub(crate) fn trim(field: &str) -> &str {
    let start = field.bytes().position(|octet| !is_blank(octet)).unwrap_or(field.len());
    let after = field.bytes().rev().take_while(|octet| is_blank(*octet)).count();
    field.get(start..field.len().saturating_sub(after)).unwrap_or("")
}

const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Whether some element after a comma is one of ours, so that foreign credentials came first.
fn mentions_ours(field: &str) -> bool {
    field.split(',').skip(1).any(|element| {
        let name = trim(element).split(' ').next().unwrap_or("");
        scheme_named(name).is_some()
    })
}

/// Names of schemes have no case (RFC 9110 §11.1).
pub(crate) fn scheme_named(name: &str) -> Option<Scheme> {
    if name.eq_ignore_ascii_case("DPoP") {
        Some(Scheme::Dpop)
    } else if name.eq_ignore_ascii_case("Bearer") {
        Some(Scheme::Bearer)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_has_no_case_and_blanks_are_one_or_more() {
        for field in ["DPoP abc", "dpop abc", "DPOP  abc", "\tDPoP abc "] {
            assert_eq!(credentials(&[field]), Ok(Credentials { scheme: Scheme::Dpop, token: "abc" }), "{field}");
        }
        assert_eq!(
            credentials(&["bEARER a~b._-+/=="]),
            Ok(Credentials { scheme: Scheme::Bearer, token: "a~b._-+/==" })
        );
    }

    #[test]
    fn what_is_no_single_token_is_refused() {
        for (fields, reason) in [
            (&[][..], Reason::CredentialsMissing),
            (&[""], Reason::CredentialsMissing),
            (&["Basic dTpw"], Reason::SchemeUnsupported),
            (&["DPoPabc"], Reason::SchemeUnsupported),
            (&["DPoP\tabc"], Reason::AuthorizationMalformed),
            (&["DPoP \tabc"], Reason::AuthorizationMalformed),
            (&["DPoP"], Reason::AuthorizationMalformed),
            (&["DPoP  "], Reason::AuthorizationMalformed),
            (&["DPoP abc", "Bearer abc"], Reason::AuthorizationMultiple),
            (&["Bearer abc, DPoP abc"], Reason::AuthorizationMultiple),
            (&["Basic dTpw, DPoP abc"], Reason::AuthorizationMultiple),
            (&["DPoP abc,"], Reason::AuthorizationMultiple),
            (&["DPoP a b"], Reason::TokenNotToken68),
            (&["DPoP a\tb"], Reason::TokenNotToken68),
            (&["DPoP \"abc\""], Reason::TokenNotToken68),
            (&["DPoP a=b"], Reason::TokenNotToken68),
            (&["DPoP ="], Reason::TokenNotToken68),
            (&["DPoP ä"], Reason::TokenNotToken68),
        ] {
            assert_eq!(credentials(fields), Err(reason), "{fields:?}");
        }
        let long = alloc::format!("DPoP {}", "a".repeat(MAX_TOKEN_BYTES + 1));
        assert_eq!(credentials(&[&long]), Err(Reason::TokenTooLarge));
    }

    #[test]
    fn one_proof_and_no_more() {
        assert_eq!(proof(&[" a.b.c "]), Ok("a.b.c"));
        assert_eq!(proof(&[]), Err(Reason::ProofMissing));
        assert_eq!(proof(&[""]), Err(Reason::ProofMissing));
        assert_eq!(proof(&["a.b.c, a.b.c"]), Err(Reason::ProofMultiple));
        assert_eq!(proof(&["a.b.c", "a.b.c"]), Err(Reason::ProofMultiple));
    }
}
