//! What a server nonce may look like (RFC 9449 §8.1).

/// The longest nonce that is read or stored, in octets.
pub const MAX_NONCE_LEN: usize = 1024;

/// Whether the text is `1*NQCHAR` (%x21 / %x23-5B / %x5D-7E) of at most [`MAX_NONCE_LEN`] octets.
#[must_use]
pub fn is_nonce(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NONCE_LEN
        && text.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_blanks_and_controls_are_no_nonce_characters() {
        assert!(is_nonce("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
        assert!(is_nonce("!#[]~,;"));
        for text in ["", " ", "a b", "a\"b", "a\\b", "a\nb", "ä", "a\u{7f}"] {
            assert!(!is_nonce(text), "{text:?}");
        }
        assert!(is_nonce(&"n".repeat(MAX_NONCE_LEN)) && !is_nonce(&"n".repeat(MAX_NONCE_LEN + 1)));
    }
}
