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

/// Octets of one step of encoding: three for every four characters, so no step but the last has a remainder.
const STEP: usize = 48;

/// Encodes octets without padding.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().saturating_mul(4).div_ceil(3));
    encode_into(octets, &mut text);
    text
}

/// Encodes octets at the end of a text.
pub fn encode_into(octets: &[u8], text: &mut String) {
    // Through a slice: the functions that make a String can panic, and the text of that panic
    // brings the formatting machinery, which is more than this whole module.
    let mut buffer = [0_u8; 64];
    for step in octets.chunks(STEP) {
        let len = STRICT.encode_slice(step, &mut buffer).unwrap_or(0);
        text.push_str(buffer.get(..len).and_then(|part| core::str::from_utf8(part).ok()).unwrap_or(""));
    }
}

/// Decodes canonical, unpadded base64url.
///
/// # Errors
/// Padding, a character of another alphabet, white space, or non-zero spare bits (RFC 4648 §3.5).
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    // Without the functions of the library that can panic.
    let mut octets = alloc::vec![0; text.len().div_ceil(4).saturating_mul(3)];
    let len = STRICT.decode_slice(text, &mut octets).map_err(|_| Base64UrlError)?;
    octets.truncate(len);
    Ok(octets)
}

/// Decodes base64 of the other alphabet, with its padding (RFC 4648 §4), as strictly.
///
/// # Errors
/// As [`decode`].
#[cfg(feature = "server")]
pub(crate) fn decode_standard(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    // Padded, a text is a multiple of four characters, of which one or two are padding.
    let unpadded = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    if text.len() & 3 != 0 {
        return Err(Base64UrlError);
    }
    decode_standard_unpadded(unpadded)
}

/// Decodes base64 of the other alphabet without padding (RFC 4648 §4 and §3.2).
///
/// # Errors
/// As [`decode`].
#[cfg(feature = "server")]
pub(crate) fn decode_standard_unpadded(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    let url_safe: String = text
        .bytes()
        .map(|octet| match octet {
            b'+' => '-',
            b'/' => '_',
            // No character of either alphabet.
            b'-' | b'_' => '=',
            other => char::from(other),
        })
        .collect();
    decode(&url_safe)
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
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

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

    #[test]
    fn every_length_is_read_back() {
        for len in 0..200_usize {
            let octets: Vec<u8> = (0..len).map(|octet| (octet as u8).wrapping_mul(37)).collect();
            let text = encode(&octets);
            assert_eq!(text.len(), (len * 4).div_ceil(3));
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&octets));
            assert_eq!(decode(&text), Ok(octets));
        }
    }

    #[cfg(feature = "server")]
    #[test]
    fn the_other_alphabet_is_read_with_its_padding_only() {
        for len in 0..20_u8 {
            let octets: Vec<u8> = (0..len).map(|octet| octet.wrapping_mul(91) | 0xe3).collect();
            assert_eq!(decode_standard(&STANDARD.encode(&octets)), Ok(octets));
        }
        assert_eq!(decode_standard("+//+"), Ok(b"\xfb\xff\xfe".to_vec()));
        for text in ["-__-", "YQ", "YQ=", "YQ===", "Y===", "====", "=", "YR==", "YWE", "YWF=", "Y Q=", "YQ==YQ==", "Ä="]
        {
            assert_eq!(decode_standard(text), Err(Base64UrlError), "{text:?}");
            assert!(STANDARD.decode(text).is_err(), "{text:?}");
        }
    }
}
