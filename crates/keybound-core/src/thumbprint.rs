//! SHA-256 thumbprints: of a public key (RFC 7638, `jkt`) or of a certificate (RFC 8705 §3.1, `x5t#S256`).

use alloc::string::String;

use crate::base64url;

/// A SHA-256 thumbprint. Two compare in constant time.
#[derive(Clone, Copy, Debug, Eq)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// A thumbprint from the 32 octets of the hash.
    #[must_use]
    pub const fn from_bytes(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// Reads the 43 characters of base64url that a confirmation carries.
    ///
    /// `None` for any other length or alphabet. Non-zero spare bits are refused as well: such a
    /// text is no thumbprint that anybody computed (the example of RFC 8705 §3.1 is one).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 43 {
            return None;
        }
        base64url::decode_array(text).ok().map(Self)
    }

    /// The 32 octets of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 43 characters of a `jkt` or `x5t#S256`.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        base64url::encode(&self.0)
    }
}

impl PartialEq for Thumbprint {
    fn eq(&self, other: &Self) -> bool {
        let difference = self.0.iter().zip(&other.0).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
        core::hint::black_box(difference) == 0
    }
}

impl core::hash::Hash for Thumbprint {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_of_32_octets_is_read() {
        let text = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        assert_eq!(Thumbprint::parse(text).unwrap().to_base64url(), text);
        // RFC 8705 §3.1's example has non-zero spare bits.
        assert!(Thumbprint::parse("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2").is_none());
        assert!(Thumbprint::parse(&text[1..]).is_none());
        assert!(Thumbprint::parse(&alloc::format!("{text}=")).is_none());
        // A SHA-1 thumbprint, and hex.
        assert!(Thumbprint::parse("2jmj7l5rSw0yVb_vlWAYkK_YBwk").is_none());
        assert!(Thumbprint::parse(&"a".repeat(64)).is_none());
    }
}
