//! The signature algorithms of proofs and access tokens (RFC 7518 §3.1, RFC 8037, RFC 9864).

/// An asymmetric JWS algorithm that keybound signs or checks with.
///
/// `none` and the symmetric algorithms have no variant: they cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 octets.
    Ps256,
    /// The older name of Ed25519 (RFC 8037 §3.1). Only the Ed25519 curve is meant here.
    EdDsa,
    /// Ed25519 under its fully specified name (RFC 9864 §2.2).
    Ed25519,
}

/// The kind of key that an [`Algorithm`] is used with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// `EC`, `P-256`.
    P256,
    /// `EC`, `P-384`.
    P384,
    /// `EC`, `P-521`.
    P521,
    /// `RSA`.
    Rsa,
    /// `OKP`, `Ed25519`.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm, the most common first.
    pub const ALL: [Self; 7] =
        [Self::Es256, Self::Es384, Self::Es512, Self::Rs256, Self::Ps256, Self::EdDsa, Self::Ed25519];

    const fn entry(self) -> (&'static str, KeyType, Option<usize>) {
        match self {
            Self::Es256 => ("ES256", KeyType::P256, Some(64)),
            Self::Es384 => ("ES384", KeyType::P384, Some(96)),
            Self::Es512 => ("ES512", KeyType::P521, Some(132)),
            Self::Rs256 => ("RS256", KeyType::Rsa, None),
            Self::Ps256 => ("PS256", KeyType::Rsa, None),
            Self::EdDsa => ("EdDSA", KeyType::Ed25519, Some(64)),
            Self::Ed25519 => ("Ed25519", KeyType::Ed25519, Some(64)),
        }
    }

    /// The algorithm of a JOSE `alg` value, compared with case (RFC 7515 §4.1.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The JOSE `alg` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// The kind of key that goes with it.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        self.entry().1
    }

    /// The only length in octets that a signature can have (RFC 7518 §3.4, RFC 8032 §5.1.6);
    /// `None` for RSA, where it is the modulus's.
    #[must_use]
    pub const fn signature_len(self) -> Option<usize> {
        self.entry().2
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Es256 => 1,
            Self::Es384 => 2,
            Self::Es512 => 4,
            Self::Rs256 => 8,
            Self::Ps256 => 16,
            Self::EdDsa => 32,
            Self::Ed25519 => 64,
        }
    }
}

/// A set of algorithms: an allow-list (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlgorithmSet(u8);

impl AlgorithmSet {
    /// No algorithm.
    pub const EMPTY: Self = Self(0);
    /// Every algorithm that keybound knows.
    pub const ALL: Self = Self(0x7f);

    /// This set and one algorithm more.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | algorithm.bit())
    }

    /// Whether the algorithm is in the set.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_with_case_and_unknown_ones_have_no_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        for name in ["none", "HS256", "es256", "ESP256", "ES256K", "RS384", "Ed448", ""] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: AlgorithmSet = [Algorithm::Es256, Algorithm::Ed25519].into_iter().collect();
        assert!(set.contains(Algorithm::Es256) && !set.contains(Algorithm::EdDsa));
        assert_eq!(set.iter().count(), 2);
        assert_eq!(AlgorithmSet::ALL.iter().count(), 7);
    }
}
