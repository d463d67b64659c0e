//! Strict base64url (RFC 4648 §5; RFC 7515 §2): no padding, no other characters, no spare bits.
//!
//! A lenient decoder gives one key or proof several spellings, and with them several thumbprints
//! and replay keys.

use alloc::{string::String, vec, vec::Vec};

/// The text is not canonical, unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base64UrlError;

/// Encodes octets without padding.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().saturating_mul(4).div_ceil(3));
    encode_into(octets, &mut text);
    text
}

/// Encodes octets at the end of a text.
pub fn encode_into(octets: &[u8], text: &mut String) {
    for group in octets.chunks(3) {
        let mut bits = 0_u32;
        for place in 0..3 {
            bits = (bits << 8) | u32::from(group.get(place).copied().unwrap_or(0));
        }
        // So many octets need one more character.
        for _ in 0..=group.len() {
            text.push(character((bits >> 18) & 63));
            bits <<= 6;
        }
    }
}

/// Decodes canonical, unpadded base64url.
///
/// # Errors
/// Padding, a character of another alphabet, white space, or non-zero spare bits (RFC 4648 §3.5).
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    // As if zeros came after it: what they do not fill must be zero anyway.
    let mut last = [b'A'; 4];
    last.iter_mut().zip(rest).for_each(|(place, character)| *place = *character);

    let mut octets = vec![0; groups.len().saturating_add(1).saturating_mul(3)];
    let mut seen = 0;
    for (group, places) in groups.iter().chain([&last]).zip(octets.as_chunks_mut().0) {
        let [a, b, c, d] = group.map(|character| VALUES.get(usize::from(character)).copied().unwrap_or(NO_VALUE));
        seen |= a | b | c | d;
        *places = [(a << 2) | (b >> 4), (b << 4) | (c >> 2), (c << 6) | d];
    }
    // One character alone has too few bits for an octet.
    let len = groups.len().saturating_mul(3).saturating_add(rest.len().saturating_sub(1));
    let is_spare_zero = octets.iter().skip(len).all(|octet| *octet == 0);
    octets.truncate(len);
    if seen == NO_VALUE || rest.len() == 1 || !is_spare_zero { Err(Base64UrlError) } else { Ok(octets) }
}

/// The character of six bits.
fn character(bits: u32) -> char {
    let octet = match bits as u8 {
        bits @ 0..=25 => bits.wrapping_add(b'A'),
        bits @ 26..=51 => bits.wrapping_add(b'a' - 26),
        bits @ 52..=61 => bits.wrapping_sub(52 - b'0'),
        62 => b'-',
        _ => b'_',
    };
    char::from(octet)
}

/// More than the six bits of any character, and whatever else is seen beside it.
const NO_VALUE: u8 = 0xff;

/// The six bits of each character.
const VALUES: [u8; 256] = {
    let mut values = [NO_VALUE; 256];
    let mut rest: &mut [u8] = &mut values;
    let mut character = 0;
    while let [place, others @ ..] = rest {
        *place = value(character);
        character = character.wrapping_add(1);
        rest = others;
    }
    values
};

const fn value(character: u8) -> u8 {
    match character {
        b'A'..=b'Z' => character.wrapping_sub(b'A'),
        b'a'..=b'z' => character.wrapping_sub(b'a' - 26),
        b'0'..=b'9' => character.wrapping_add(52 - b'0'),
        b'-' => 62,
        b'_' => 63,
        _ => NO_VALUE,
    }
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
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };

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
