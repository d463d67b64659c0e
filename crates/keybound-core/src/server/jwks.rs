//! An issuer's published keys (RFC 7517 §5).

use alloc::{borrow::ToOwned, string::String, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicU8, Ordering};

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
    algorithm: Arc<OneAlgorithm>,
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
        self.key.key_type() == algorithm.key_type() && self.algorithm.get().is_none_or(|own| is_same(own, algorithm))
    }

    /// Notes that a signature with this algorithm was verified with the key. False: it is used with another.
    pub(crate) fn settle(&self, algorithm: Algorithm) -> bool {
        self.algorithm.settle(algorithm)
    }
}

/// The one algorithm that a key is used with (RFC 8725 §3.1): the one that its set names, else the first
/// that a signature was verified with, which only the issuer can bring about. It matters to RSA keys,
/// which could serve two. Zero: not settled yet.
#[derive(Debug, Default)]
struct OneAlgorithm(AtomicU8);

impl OneAlgorithm {
    fn get(&self) -> Option<Algorithm> {
        numbered(self.0.load(Ordering::Acquire))
    }

    fn settle(&self, algorithm: Algorithm) -> bool {
        let settled = self.0.compare_exchange(0, number(algorithm), Ordering::AcqRel, Ordering::Acquire);
        match settled {
            Ok(_) => true,
            Err(known) => numbered(known).is_some_and(|own| is_same(own, algorithm)),
        }
    }
}

fn number(algorithm: Algorithm) -> u8 {
    let place = Algorithm::ALL.iter().position(|known| *known == algorithm);
    place.and_then(|place| u8::try_from(place).ok()).map_or(0, |place| place.saturating_add(1))
}

fn numbered(number: u8) -> Option<Algorithm> {
    Algorithm::ALL.get(usize::from(number.checked_sub(1)?)).copied()
}

/// The two names of Ed25519 are one algorithm (RFC 9864 §2.2).
fn is_same(one: Algorithm, other: Algorithm) -> bool {
    one == other || (one.key_type() == KeyType::Ed25519 && other.key_type() == KeyType::Ed25519)
}

/// A set of keys.
#[derive(Clone, Debug, Default)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

impl Jwks {
    /// Reads a set. Keys that are for something else, of an unknown type or malformed are left out
    /// (RFC 7517 §5); a symmetric or private key is as well, and a key that stands there again with
    /// another algorithm.
    ///
    /// # Errors
    /// The text is no strict JSON object with an array `keys`.
    pub fn parse(json: &str) -> Result<Self, JsonError> {
        let set = Object::parse(json.as_bytes())?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(JsonError::Syntax)?;
        let mut set = Self::default();
        for value in keys {
            if set.keys.len() < MAX_KEYS {
                set.keys.extend(value.as_object().and_then(|jwk| set.read(jwk)));
            }
        }
        Ok(set)
    }

    fn read(&self, jwk: &Object<'_>) -> Option<Jwk> {
        let named = match jwk.get("alg") {
            None => None,
            Some(name) => Some(name.as_str().and_then(Algorithm::from_name)?),
        };
        let key = PublicKey::from_jwk_object(jwk).ok()?;
        if named.is_some_and(|algorithm| algorithm.key_type() != key.key_type()) {
            return None;
        }
        // Under a second name it is still the same key.
        let algorithm = self.algorithm_of(&key).cloned().unwrap_or_default();
        if named.is_some_and(|named| !algorithm.settle(named)) {
            return None;
        }
        Some(Jwk { key, kid: text(jwk, "kid").map(ToOwned::to_owned), algorithm })
    }

    fn algorithm_of(&self, key: &PublicKey) -> Option<&Arc<OneAlgorithm>> {
        let known = self.keys.iter().find(|known| known.key.thumbprint() == key.thumbprint())?;
        Some(&known.algorithm)
    }

    /// Takes over what was settled about the keys that an older set had, too.
    pub fn keep_algorithms(&self, older: &Self) {
        for jwk in &self.keys {
            if let Some(settled) = older.algorithm_of(&jwk.key).and_then(|algorithm| algorithm.get()) {
                // What the newer set names counts.
                jwk.algorithm.settle(settled);
            }
        }
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

    /// RFC 7638 §3.1.
    const RSA: &str = r#""kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw""#;

    fn rsa(algorithms: &[Option<&str>]) -> Jwks {
        let mut set = String::from(r#"{"keys":["#);
        for (index, algorithm) in algorithms.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let alg = algorithm.map(|name| alloc::format!(r#","alg":"{name}""#)).unwrap_or_default();
            set.push_str(&alloc::format!(r#"{comma}{{"kid":"{index}",{RSA}{alg}}}"#));
        }
        set.push_str("]}");
        Jwks::parse(&set).unwrap()
    }

    #[test]
    fn a_key_that_names_its_algorithm_is_used_with_that_one_only() {
        let set = rsa(&[Some("PS256")]);
        assert!(set.find(Some("0"), Algorithm::Ps256).is_some());
        assert!(set.find(Some("0"), Algorithm::Rs256).is_none());
        assert!(set.find(None, Algorithm::Rs256).is_none());
        assert!(rsa(&[Some("RS384")]).keys().is_empty(), "one that is not known here");
    }

    #[test]
    fn a_key_that_names_none_is_used_with_the_first_that_verified() {
        for (first, other) in [(Algorithm::Rs256, Algorithm::Ps256), (Algorithm::Ps256, Algorithm::Rs256)] {
            let set = rsa(&[None]);
            let (found, late) = (set.find(None, first).unwrap().clone(), set.find(None, other).unwrap().clone());
            assert!(found.settle(first) && found.settle(first));
            assert!(set.find(None, first).is_some());
            assert!(set.find(None, other).is_none());
            assert!(!late.settle(other), "one that was found before that");
        }
    }

    #[test]
    fn a_key_under_two_names_is_used_with_one_algorithm() {
        let set = rsa(&[Some("RS256"), Some("PS256")]);
        assert_eq!(set.keys().len(), 1);
        assert!(set.find(Some("1"), Algorithm::Ps256).is_none());
        for set in [rsa(&[None, Some("PS256")]), rsa(&[Some("PS256"), None])] {
            for kid in ["0", "1"] {
                assert!(set.find(Some(kid), Algorithm::Ps256).is_some());
                assert!(set.find(Some(kid), Algorithm::Rs256).is_none());
            }
        }
        let set = rsa(&[None, None]);
        assert!(set.find(Some("0"), Algorithm::Ps256).unwrap().settle(Algorithm::Ps256));
        assert!(set.find(Some("1"), Algorithm::Rs256).is_none());
    }

    #[test]
    fn a_newer_set_keeps_what_was_settled_unless_it_names_an_algorithm() {
        let older = rsa(&[None]);
        older.keys()[0].settle(Algorithm::Ps256);
        let (silent, naming) = (rsa(&[None]), rsa(&[Some("RS256")]));
        silent.keep_algorithms(&older);
        naming.keep_algorithms(&older);
        assert!(silent.find(None, Algorithm::Rs256).is_none() && silent.find(None, Algorithm::Ps256).is_some());
        assert!(naming.find(None, Algorithm::Rs256).is_some() && naming.find(None, Algorithm::Ps256).is_none());
        older.keep_algorithms(&Jwks::default());
    }

    #[test]
    fn the_two_names_of_ed25519_are_one_algorithm() {
        for alg in ["", r#","alg":"EdDSA""#, r#","alg":"Ed25519""#] {
            let set = Jwks::parse(&alloc::format!("{{\"keys\":[{{{X}{alg}}}]}}")).unwrap();
            for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
                assert!(set.find(None, algorithm).unwrap().settle(algorithm));
            }
        }
        let twice = alloc::format!(r#"{{"keys":[{{"kid":"a","alg":"EdDSA",{X}}},{{"kid":"b","alg":"Ed25519",{X}}}]}}"#);
        assert_eq!(Jwks::parse(&twice).unwrap().keys().len(), 2);
    }

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
