//! An issuer's published keys (RFC 7517 §5).

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use crate::{
    algorithm::{Algorithm, KeyType},
    json::{JsonError, Object, Value},
    key::PublicKey,
    server::confirmation::text,
};

/// The most keys that are read of one set.
pub const MAX_KEYS: usize = 100;

/// One key of a set that can check signatures.
#[derive(Clone, Debug)]
pub struct Jwk {
    key: PublicKey,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
}

impl Jwk {
    /// The key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Its name within the set.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        self.key.key_type() == algorithm.key_type()
            && self.algorithm.is_none_or(|named| {
                // The two names of Ed25519 are one algorithm (RFC 9864 §2.2).
                named == algorithm || algorithm.key_type() == KeyType::Ed25519
            })
    }
}

/// A set of keys.
#[derive(Clone, Debug, Default)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

impl Jwks {
    /// Reads a set. Keys that are for something else, of an unknown type or malformed are left out
    /// (RFC 7517 §5); a symmetric or private key is as well.
    ///
    /// # Errors
    /// The text is no strict JSON object with an array `keys`.
    pub fn parse(json: &str) -> Result<Self, JsonError> {
        let set = Object::parse(json.as_bytes())?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JsonError::Syntax)?;
        let keys = keys
            .iter()
            .filter_map(|value| {
                let jwk = value.as_object()?;
                let algorithm = match jwk.get("alg") {
                    None => None,
                    Some(name) => Some(name.as_str().and_then(Algorithm::from_name)?),
                };
                let key = PublicKey::from_jwk_object(jwk).ok()?;
                if algorithm.is_some_and(|algorithm| algorithm.key_type() != key.key_type()) {
                    return None;
                }
                Some(Jwk { key, kid: text(jwk, "kid").map(ToOwned::to_owned), algorithm })
            })
            .take(MAX_KEYS)
            .collect();
        Ok(Self { keys })
    }

    /// The key for a token's `kid` and algorithm. Without a `kid` there must be just one that fits.
    #[must_use]
    pub fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&Jwk> {
        let mut fitting =
            self.keys.iter().filter(|jwk| jwk.is_for(algorithm) && (kid.is_none() || jwk.kid.as_deref() == kid));
        let first = fitting.next()?;
        // Two keys of one name cannot be told apart.
        if fitting.next().is_some() { None } else { Some(first) }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

    #[test]
    fn a_key_is_found_by_name_and_algorithm() {
        let set = alloc::format!(
            r#"{{"keys":[{{"kty":"oct","k":"AA","kid":"h"}},{{"kid":"a",{X}}},{{"kid":"b","alg":"EdDSA",{X}}},{{"kid":"c","alg":"RS256",{X}}},{{"kid":"d","use":"enc",{X}}},5]}}"#
        );
        let set = Jwks::parse(&set).unwrap();
        assert_eq!(set.keys().len(), 2);
        assert_eq!(set.find(Some("a"), Algorithm::EdDsa).unwrap().kid(), Some("a"));
        assert_eq!(set.find(Some("b"), Algorithm::Ed25519).unwrap().kid(), Some("b"));
        assert!(set.find(Some("a"), Algorithm::Es256).is_none());
        assert!(set.find(Some("c"), Algorithm::EdDsa).is_none());
        assert!(set.find(None, Algorithm::EdDsa).is_none(), "two would fit");
        let one = Jwks::parse(&alloc::format!("{{\"keys\":[{{{X}}}]}}")).unwrap();
        assert!(one.find(None, Algorithm::EdDsa).is_some());
        assert!(one.find(Some("z"), Algorithm::EdDsa).is_none());
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
            assert!(Jwks::parse(text).is_err(), "{text}");
        }
    }
}
