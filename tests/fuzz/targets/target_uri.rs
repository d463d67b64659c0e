//! Target URIs: two are equal exactly if their normal forms are; what a client writes for a URL, a
//! server reads as that URL; and an independent reader finds the same origin.
//!
//! The input is one URI a line; each pair of neighbours is compared.
#![no_main]

use keybound_core::target_uri::{TargetUri, UriPart, for_request};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let lines: Vec<&str> = text.split('\n').take(4).collect();
    for line in &lines {
        one(line);
    }
    for pair in lines.windows(2) {
        if let [a, b] = pair {
            two(a, b);
        }
    }
});

fn one(text: &str) {
    if let Ok(uri) = TargetUri::parse(text) {
        assert_eq!(uri.difference(&uri), None);
        let written = uri.wire_form();
        let again = TargetUri::parse(&written).expect("what is written is read");
        assert_eq!(again.wire_form(), written);
        assert_eq!(again.canonical(), uri.canonical());
        assert_eq!(again.difference(&uri), None);
        assert_eq!(TargetUri::parse(&uri.origin()).expect("an origin is a URI").origin(), uri.origin());
        assert!(!written.contains(['?', '#', '@']) || uri.path().contains('@'));
        same_as_whatwg(text, &uri);
    }
    if let Ok(uri) = for_request(text) {
        let written = uri.wire_form();
        let read = TargetUri::parse(&written).expect("what a client writes is read");
        assert_eq!(read.canonical(), uri.canonical());
        assert!(read.is_https() || read.is_loopback());
    }
}

fn two(a: &str, b: &str) {
    let (Ok(a), Ok(b)) = (TargetUri::parse(a), TargetUri::parse(b)) else { return };
    assert_eq!(a.difference(&b), b.difference(&a));
    assert_eq!(a.difference(&b).is_none(), a.canonical() == b.canonical());
    if a.is_https() != b.is_https() {
        assert_eq!(a.difference(&b), Some(UriPart::Scheme));
    }
}

/// The WHATWG reader, where both give the text a meaning. It reads more into hosts (IPv4 in any
/// base, IDNA, percent-encoded Unicode) and treats some characters of paths another way; scheme,
/// plain hosts, ports and plain paths have one meaning.
fn same_as_whatwg(text: &str, uri: &TargetUri<'_>) {
    let plain_host =
        uri.origin().split("://").nth(1).is_some_and(|host| {
            host.split(':').next().unwrap_or("").bytes().all(|o| o.is_ascii_lowercase() || o == b'.')
        });
    if !plain_host || uri.origin().contains("xn--") {
        return;
    }
    let Ok(other) = Url::parse(text) else { return };
    assert_eq!(other.origin().ascii_serialization(), uri.origin(), "{text}");
    if uri.path().bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'/' | b'.')) {
        let path = if uri.path().is_empty() { "/" } else { uri.path() };
        let normal = format!("{}{}", uri.origin(), other.path());
        let normal = TargetUri::parse(&normal).expect("a normal form");
        assert_eq!(normal.canonical(), uri.canonical(), "{path}");
    }
}
