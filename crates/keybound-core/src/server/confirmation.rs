//! The `cnf` claim (RFC 7800 §3.1): which key or certificate a token is bound to.

use crate::{
    json::{Object, Value},
    server::reason::Reason,
    thumbprint::Thumbprint,
};

/// What a token says about its binding. Malformed and unknown confirmations have no value of this
/// type: they are refused when they are read, so that none passes as "not bound" (RFC 9449 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// No `cnf`: a bearer token.
    None,
    /// Bound to a DPoP key (RFC 9449 §6.1).
    Key {
        /// `jkt`.
        jkt: Thumbprint,
    },
    /// Bound to a client certificate (RFC 8705 §3.1).
    Certificate {
        /// `x5t#S256`.
        x5t_s256: Thumbprint,
    },
    /// Bound to both; both are enforced.
    Both {
        /// `jkt`.
        jkt: Thumbprint,
        /// `x5t#S256`.
        x5t_s256: Thumbprint,
    },
}

impl Confirmation {
    /// Reads the `cnf` of a token's claims or of an introspection answer. Members that are not known
    /// are ignored beside one that is (RFC 7800 §3.1: Keycloak sends `kc-jkt-type`).
    ///
    /// # Errors
    /// `cnf` is no object, a known member is no thumbprint, or no member is known.
    pub fn from_claims(claims: &Object<'_>) -> Result<Self, Reason> {
        let Some(cnf) = claims.get("cnf") else {
            return Ok(Self::None);
        };
        let cnf = cnf.as_object().ok_or(Reason::CnfMalformed)?;
        match (thumbprint(cnf, "jkt")?, thumbprint(cnf, "x5t#S256")?) {
            (Some(jkt), None) => Ok(Self::Key { jkt }),
            (None, Some(x5t_s256)) => Ok(Self::Certificate { x5t_s256 }),
            (Some(jkt), Some(x5t_s256)) => Ok(Self::Both { jkt, x5t_s256 }),
            (None, None) => Err(Reason::CnfUnknown),
        }
    }

    /// The thumbprint of the DPoP key.
    #[must_use]
    pub const fn jkt(&self) -> Option<Thumbprint> {
        match *self {
            Self::Key { jkt } | Self::Both { jkt, .. } => Some(jkt),
            Self::None | Self::Certificate { .. } => None,
        }
    }

    /// The thumbprint of the certificate.
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<Thumbprint> {
        match *self {
            Self::Certificate { x5t_s256 } | Self::Both { x5t_s256, .. } => Some(x5t_s256),
            Self::None | Self::Key { .. } => None,
        }
    }
}

fn thumbprint(cnf: &Object<'_>, name: &str) -> Result<Option<Thumbprint>, Reason> {
    match cnf.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().and_then(Thumbprint::parse).map(Some).ok_or(Reason::CnfMalformed),
    }
}

/// Reads one claim that is a string.
pub(crate) fn text<'a>(claims: &'a Object<'_>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn read(cnf: &str) -> Result<Confirmation, Reason> {
        let text = alloc::format!("{{\"sub\":\"x\"{cnf}}}");
        Confirmation::from_claims(&Object::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn known_members_are_read_beside_unknown_ones() {
        let jkt = Thumbprint::parse(JKT).unwrap();
        assert_eq!(read(""), Ok(Confirmation::None));
        assert_eq!(
            read(&alloc::format!(r#","cnf":{{"jkt":"{JKT}","kc-jkt-type":"x"}}"#)),
            Ok(Confirmation::Key { jkt })
        );
        let both = read(&alloc::format!(r#","cnf":{{"x5t#S256":"{JKT}","jkt":"{JKT}"}}"#)).unwrap();
        assert_eq!((both.jkt(), both.x5t_s256()), (Some(jkt), Some(jkt)));
    }

    #[test]
    fn malformed_and_unknown_confirmations_never_read_as_unbound() {
        for cnf in ["null", "[]", "\"x\"", "1", "true"] {
            assert_eq!(read(&alloc::format!(",\"cnf\":{cnf}")), Err(Reason::CnfMalformed), "{cnf}");
        }
        for cnf in [r#"{"jkt":null}"#, r#"{"jkt":1}"#, r#"{"jkt":""}"#, r#"{"jkt":"0ZcO"}"#, r#"{"x5t#S256":["a"]}"#] {
            assert_eq!(read(&alloc::format!(",\"cnf\":{cnf}")), Err(Reason::CnfMalformed), "{cnf}");
        }
        let one_good = alloc::format!(r#","cnf":{{"jkt":"{JKT}","x5t#S256":5}}"#);
        assert_eq!(read(&one_good), Err(Reason::CnfMalformed));
        for cnf in ["{}", r#"{"jwk":{}}"#, r#"{"kid":"1"}"#, r#"{"JKT":"x"}"#, r#"{"x5t":"x"}"#] {
            assert_eq!(read(&alloc::format!(",\"cnf\":{cnf}")), Err(Reason::CnfUnknown), "{cnf}");
        }
    }
}
