//! Strict base64url (RFC 4648 §5; RFC 7515 §2): no padding, no other characters, no spare bits.
//!
//! A lenient decoder gives one key or proof several spellings, and with them several thumbprints
//! and replay keys.

use alloc::{string::String, vec::Vec};

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

const STRICT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The text is not canonical, unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base64UrlError;

/// Encodes octets without padding.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    STRICT.encode(octets)
}

/// Encodes octets at the end of a text.
pub fn encode_into(octets: &[u8], text: &mut String) {
    STRICT.encode_string(octets, text);
}

/// Decodes canonical, unpadded base64url.
///
/// # Errors
/// Padding, a character of another alphabet, white space, or non-zero spare bits (RFC 4648 §3.5).
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    STRICT.decode(text).map_err(|_| Base64UrlError)
}

/// Decodes into an array whose length is known.
///
/// # Errors
/// As [`decode`], and any other length.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], Base64UrlError> {
    let octets = decode(text)?;
    <[u8; N]>::try_from(octets.as_slice()).map_err(|_| Base64UrlError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_one_value() {
        assert_eq!(encode(b"\xfb\xff\xfe"), "-__-");
        assert_eq!(decode("-__-"), Ok(b"\xfb\xff\xfe".to_vec()));
        assert_eq!(decode(""), Ok(Vec::new()));
        for text in ["+//+", "YQ==", "YQ=", "YR", "Y", "Y Q", "YQ\n", "YQ.", "Ä"] {
            assert_eq!(decode(text), Err(Base64UrlError), "{text:?}");
        }
        assert_eq!(decode("YQ"), Ok(b"a".to_vec()));
    }
}
