//! The whole decision, of a resource server and of a token endpoint: see `src/script.rs` for the input.
#![no_main]

use keybound_fuzz::{endpoint, interleaved, resource, script::Script};
use libfuzzer_sys::fuzz_target;

/// Scripts, and how many of their requests are accepted. Were they all refused, for a mistake in how
/// they are made, nothing behind the first check would be reached and nothing would be found.
const KNOWN: [(&str, usize); 11] = [
    ("", 1),
    ("---", 1),
    ("---\nk=2", 2),
    ("p=s", 1),
    ("p=qn\nC={\"jti\":\"a\",\"htm\":\"$M\",\"htu\":\"$U\",\"iat\":$N,\"ath\":\"$A\",\"nonce\":\"$O\"}", 1),
    ("p=sr\na=Bearer $T\nc=x\nT={\"cnf\":{\"x5t#S256\":\"$X\"}}", 1),
    ("p=srP\na=Bearer $T\nl=c\nT={}", 1),
    ("p=srP\na=Bearer $T\nT={}", 0),
    ("m=POST\ng=\nu=https://as.example/token", 1),
    ("m=POST\ng=jrxb\nc=x", 1),
    ("E=o", 0),
];

fuzz_target!(
    init: {
        for (script, accepted) in KNOWN {
            assert_eq!(decide(script).0, accepted, "{script}");
        }
        assert_eq!(decide("o=aaaaaa\n---\nk=2").1, 1);
    },
    |data: &[u8]| {
        if let Ok(text) = core::str::from_utf8(data) {
            decide(text);
        }
    }
);

/// How many requests were accepted, one after the other and in any order.
fn decide(text: &str) -> (usize, usize) {
    let script = Script::read(text);
    if script.steps.iter().any(|step| step.grant.is_some()) {
        return (endpoint::one_after_the_other(&script), 0);
    }
    let one_after_the_other = resource::one_after_the_other(&script);
    let in_any_order = if script.order.is_empty() { 0 } else { interleaved::in_any_order(&script) };
    (one_after_the_other, in_any_order)
}
