//! base64url has one text for each value (RFC 4648 §3.5), and it is the one that others write.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keybound_core::base64url::{Base64UrlError, decode, decode_array, encode, encode_into};
use proptest::{collection::vec, prelude::*};

use crate::cases;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn what_is_written_is_what_others_write_and_is_read_back(octets in vec(any::<u8>(), 0..300), before in ".{0,9}") {
        let text = encode(&octets);
        prop_assert_eq!(&text, &URL_SAFE_NO_PAD.encode(&octets));
        let mut out = before.clone();
        encode_into(&octets, &mut out);
        prop_assert_eq!(out, before + &text);
        prop_assert_eq!(decode(&text), Ok(octets));
    }

    #[test]
    fn what_is_read_others_read_and_it_is_what_would_be_written(text in "[A-Za-z0-9_-]{0,70}|[ -~]{0,40}|\\PC{0,9}") {
        let read = decode(&text).ok();
        prop_assert_eq!(&read, &URL_SAFE_NO_PAD.decode(&text).ok());
        if let Some(octets) = read {
            prop_assert_eq!(encode(&octets), text);
        }
    }

    #[test]
    fn every_other_spelling_of_a_value_is_refused(
        octets in vec(any::<u8>(), 1..100),
        at in any::<prop::sample::Index>(),
    ) {
        let text = encode(&octets);
        // Spare bits: two of a last octet alone, four of the last two.
        let spare = match octets.len() % 3 {
            1 => 16,
            2 => 4,
            _ => 1,
        };
        let (body, last) = text.split_at(text.len() - 1);
        let value = ALPHABET.find(last).unwrap();
        for other in (value + 1)..(value + spare) {
            let spelling = format!("{body}{}", &ALPHABET[other..=other]);
            prop_assert_eq!(decode(&spelling), Err(Base64UrlError), "{}", spelling);
        }
        for padding in ["=", "==", "\n", " ", ".", "\0"] {
            let padded = text.clone() + padding;
            prop_assert!(decode(&padded).is_err());
        }
        // White space, the other alphabet or anything else, wherever it stands.
        let at = at.index(text.len());
        for strange in [' ', '\t', '\r', '\n', '+', '/', '=', '.', ',', '\u{e4}'] {
            let mut inserted = text.clone();
            inserted.insert(at, strange);
            prop_assert!(decode(&inserted).is_err());
        }
    }

    #[test]
    fn an_array_has_its_length(octets in vec(any::<u8>(), 0..70)) {
        let text = encode(&octets);
        prop_assert_eq!(decode_array::<32>(&text).is_ok(), octets.len() == 32);
        prop_assert_eq!(decode_array::<64>(&text).is_ok(), octets.len() == 64);
    }
}
