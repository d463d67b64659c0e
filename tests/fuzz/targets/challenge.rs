//! Challenges: reading never fails, and what is written is read back. The input is read as a field,
//! and its lines are written as parameters.
#![no_main]

use keybound_core::challenge::{ChallengeWriter, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let challenges = parse(text);
    for challenge in &challenges {
        assert!(!challenge.scheme.is_empty() && challenge.scheme.bytes().all(is_token), "{:?}", challenge.scheme);
        assert!(text.contains(challenge.scheme) && challenge.is_scheme(challenge.scheme));
        assert!(challenge.param("").is_none());
    }
    // A challenge before does not change those after.
    let joined = format!("Bearer realm=\"a, b\", {text}");
    let both = parse(&joined);
    assert!(both.first().is_some_and(|first| first.is_scheme("bearer") && first.param("realm") == Some("a, b")));

    let values: Vec<&str> = text.split('\n').take(8).collect();
    let names: Vec<String> = (0..values.len()).map(|index| format!("p{index}")).collect();
    let writer = |scheme: &str| {
        let parts = names.iter().zip(&values);
        parts.fold(ChallengeWriter::new(scheme), |writer, (name, value)| writer.param(name, value)).finish()
    };
    let field = format!("{}, {}", writer("DPoP"), writer("Bearer"));
    assert!(field.bytes().all(|octet| matches!(octet, b' '..=b'~')));
    let read = parse(&field);
    assert_eq!(read.iter().map(|challenge| challenge.scheme).collect::<Vec<_>>(), ["DPoP", "Bearer"]);
    for challenge in &read {
        for (name, value) in names.iter().zip(&values) {
            let expected: String = value.chars().filter(|character| matches!(character, ' '..='~')).collect();
            assert_eq!(challenge.param(name), Some(expected.as_str()));
        }
    }
});

/// RFC 9110 §5.6.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}
