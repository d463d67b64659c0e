//! Every platform's field: right, each trap, absent, empty, doubled, over-long.

use alloc::{format, string::String, vec, vec::Vec};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{super::*, rfc8705};

const EXPECTED: &str = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";

fn der() -> Vec<u8> {
    STANDARD.decode(rfc8705("/der_base64")).unwrap()
}

fn base64_der() -> String {
    rfc8705("/der_base64")
}

fn hex() -> String {
    sha256::digest(&der()).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// As nginx does: everything but letters, digits and `-._~` is escaped.
fn escape(text: &str, keep: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || "-._~".contains(char::from(octet));
    text.bytes()
        .map(|octet| {
            if plain(octet) || keep.contains(char::from(octet)) {
                String::from(char::from(octet))
            } else {
                format!("%{octet:02X}")
            }
        })
        .collect()
}

fn pem() -> String {
    let base64 = base64_der();
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| core::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// A second certificate: the first with another signature.
fn other_der() -> Vec<u8> {
    let mut other = der();
    *other.last_mut().unwrap() ^= 1;
    other
}

fn read(reading: CertificateReading) -> String {
    match reading {
        CertificateReading::Absent => "absent".into(),
        CertificateReading::Certificate(thumbprint) => thumbprint.to_base64url(),
        CertificateReading::Refused(reason) => reason.code().into(),
    }
}

type Reader = fn(&str) -> CertificateReading;

/// Every platform that fills one field, with right values of it.
fn platforms() -> Vec<(&'static str, Reader, Vec<String>)> {
    let escaped = [escape(&pem(), ""), escape(&pem(), "+=/"), escape(&pem(), "").to_lowercase().replace("%2b", "%2B")];
    // Only the digits of an escape may change their case.
    let lower_case_escapes = escape(&pem(), "").replace("%2B", "%2b").replace("%2F", "%2f").replace("%0A", "%0a");
    let chain = format!("{}{}", pem(), pem());
    let base64 = base64_der();
    let colons: Vec<String> = hex().as_bytes().chunks(2).map(|pair| String::from_utf8(pair.into()).unwrap()).collect();
    vec![
        ("nginx", from_nginx as Reader, vec![escaped[0].clone(), escaped[1].clone(), lower_case_escapes.clone()]),
        ("haproxy", from_haproxy, vec![base64.clone(), hex(), hex().to_uppercase(), colons.join(":")]),
        (
            "traefik",
            from_traefik,
            vec![base64.clone(), format!("{base64},{base64}"), escape(&base64, ""), format!("{base64}, AAAA")],
        ),
        ("aws alb", from_aws_alb, vec![escape(&pem(), "+=/"), lower_case_escapes]),
        ("aws alb passthrough", from_aws_alb_passthrough, vec![escape(&pem(), "+=/"), escape(&chain, "+=/")]),
        ("cloudfront", from_cloudfront, vec![hex(), colons.join(":").to_uppercase()]),
        ("azure", from_azure, vec![base64.clone()]),
        (
            "envoy",
            |field| from_xfcc(field, 0),
            vec![
                format!("Hash={}", hex()),
                format!("By=spiffe://a/b;Hash={};Subject=\"/C=US,O=a;b=c\";URI=spiffe://x", hex()),
                format!("hash={};SUBJECT=\"a \\\"quoted\\\" name, of \\\\ things\"", hex()),
                format!("Cert=\"{}\"", escape(&pem(), "")),
                format!("Hash={};Cert=\"{}\";Chain=\"{}\"", hex(), escape(&pem(), ""), escape(&chain, "")),
                format!("Hash={};Subject=\"client's\", By=me;Hash={}", "0".repeat(64), hex()),
                format!("Hash=\"{}\";DNS=a;DNS=b", hex()),
            ],
        ),
        (
            "google",
            |field| from_google(Some(field), Some("true"), Some("true")),
            vec![STANDARD.encode(sha256::digest(&der())).trim_end_matches('=').into()],
        ),
    ]
}

#[test]
fn every_platforms_encoding_of_one_certificate_gives_one_thumbprint() {
    for (platform, reader, fields) in platforms() {
        for field in fields {
            assert_eq!(read(reader(&field)), EXPECTED, "{platform}: {field}");
            assert_eq!(read(reader(&format!(" {field}\t"))), EXPECTED, "{platform}, white space around");
        }
    }
}

#[test]
fn an_empty_field_is_no_certificate_and_never_hashed() {
    for (platform, reader, _) in platforms() {
        let expected = if platform == "google" { "certificate_malformed" } else { "absent" };
        for field in ["", "  "] {
            assert_eq!(read(reader(field)), expected, "{platform}");
        }
    }
}

#[test]
fn a_field_that_is_there_twice_is_refused() {
    for (platform, reader, fields) in platforms() {
        if ["envoy", "traefik"].contains(&platform) {
            continue;
        }
        for field in fields {
            let twice = format!("{field}, {field}");
            assert_eq!(read(reader(&twice)), "certificate_header_repeated", "{platform}");
        }
    }
}

#[test]
fn sha1_is_named_and_every_other_wrong_value_is_refused() {
    let sha1_hex = rfc8705("/sha1_hex");
    for (platform, reader, _) in platforms() {
        let sha1 = if platform == "google" { "dI2Jt2TWJ8mxAqMLgdP8lSCavNM".into() } else { sha1_hex.clone() };
        let sha1 = if platform == "envoy" { format!("Hash={sha1}") } else { sha1 };
        let expected = if platform == "aws alb passthrough" { "certificate_malformed" } else { "certificate_sha1" };
        assert_eq!(read(reader(&sha1)), expected, "{platform}");
        let x5t = EXPECTED;
        let truncated = &base64_der()[..300];
        let spki_like = STANDARD.encode([0x30, 7, 0x30, 2, 5, 0, 3, 1, 0]);
        let trailing = STANDARD.encode([der().as_slice(), &[0]].concat());
        let bad_escape = escape(&pem(), "").replace("%2B", "%2");
        for wrong in [
            x5t,
            truncated,
            &spki_like,
            &trailing,
            &bad_escape,
            "%",
            "%4",
            "%zz",
            "0",
            "true",
            "SUCCESS",
            "\"",
            "=",
            ";;",
            "Hash",
            "Hash=",
            "\u{fc}",
            "%FF%FE",
            "-----BEGIN%20CERTIFICATE-----%0A%0A-----END%20CERTIFICATE-----",
        ] {
            let reading = reader(wrong);
            let refused = matches!(reading, CertificateReading::Refused(_));
            // Of this certificate both alphabets of base64 write the same.
            let same = platform == "google" && wrong == x5t || platform == "envoy" && wrong == ";;";
            assert!(refused || same, "{platform}: {wrong}: {reading:?}");
        }
        assert!(matches!(reader(&"A".repeat(1_000_000)), CertificateReading::Refused(_)), "{platform}");
    }
}

#[test]
fn a_plus_is_a_plus() {
    // Of a base64 text with pluses, those that decode to spaces are lost.
    let with_plus = escape(&pem(), "+=/");
    assert!(with_plus.contains('+'), "the example has no plus");
    let with_spaces = with_plus.replace('+', "%20");
    assert_eq!(read(from_nginx(&with_plus)), EXPECTED);
    assert_ne!(read(from_nginx(&with_spaces)), EXPECTED);
}

#[test]
fn pem_is_one_block_except_where_a_chain_is_passed_through() {
    let other = STANDARD.encode(other_der());
    let second = format!("-----BEGIN CERTIFICATE-----\n{other}\n-----END CERTIFICATE-----\n");
    let chain = escape(&format!("{}{second}", pem()), "+=/");
    assert_eq!(read(from_aws_alb_passthrough(&chain)), EXPECTED);
    for reading in [from_nginx(&chain), from_aws_alb(&chain), from_xfcc(&format!("Cert=\"{chain}\""), 0)] {
        assert_eq!(read(reading), "certificate_malformed");
    }
    let reversed = escape(&format!("{second}{}", pem()), "+=/");
    assert_ne!(read(from_aws_alb_passthrough(&reversed)), EXPECTED);
    let garbage = escape(&format!("{}junk", pem()), "+=/");
    assert_eq!(read(from_aws_alb_passthrough(&garbage)), "certificate_malformed");
}

#[test]
fn elements_of_xfcc_are_counted_from_the_end() {
    let field = format!("Hash={};Subject=\"a,b\",Hash={};URI=x", hex(), "1".repeat(64));
    assert_ne!(read(from_xfcc(&field, 0)), EXPECTED);
    assert_eq!(read(from_xfcc(&field, 1)), EXPECTED);
    assert_eq!(read(from_xfcc(&field, 2)), "certificate_malformed");
    assert_eq!(read(from_xfcc(&field, usize::MAX)), "certificate_malformed");
}

#[test]
fn nothing_that_a_client_writes_before_it_changes_the_last_element() {
    let (victim, own) = ("2".repeat(64), hex());
    // What Envoy appends, for several subjects that a certificate may have.
    for subject in [
        "CN=a",
        "CN=a,OU=b;c=d",
        "\\\"",
        "x\\\"y",
        &format!(",Hash={victim};a\\\""),
        &format!(",Hash={victim};Subject=\\\""),
        // A quote whose backslash is itself escaped ends the value.
        &format!("\\\\\",Hash={victim};x=\\\\\""),
        &format!("\\\\\",Hash={victim};x="),
        &format!("\\\\\"\\,Hash={victim}"),
        &format!("\\\\\";Hash={victim}"),
    ] {
        let appended = format!(",By=x;Hash={own};Subject=\"{subject}\";URI=u");
        for forged in [
            format!("Hash={victim}"),
            format!("Hash={victim};Subject=\""),
            format!("Hash={victim};Subject=\"\\"),
            format!("Hash={victim};Subject=\"\\\\"),
            format!("\",Hash={victim}"),
            format!("Hash={victim};Foo=\"a\";Bar=\\"),
            format!("Hash={victim},"),
            String::from("\""),
            String::from("\\"),
        ] {
            let read = read(from_xfcc(&format!("{forged}{appended}"), 0));
            assert!(read == EXPECTED || read == "certificate_malformed", "{forged}{appended}: {read}");
        }
    }
}

#[test]
fn hash_and_certificate_of_xfcc_must_agree_and_stand_once() {
    let escaped = escape(&pem(), "");
    for (field, reason) in [
        (format!("Hash={};Cert=\"{escaped}\"", "3".repeat(64)), "certificate_malformed"),
        (format!("Hash={0};Hash={0}", hex()), "certificate_header_repeated"),
        (format!("Cert=\"{escaped}\";cert=\"{escaped}\""), "certificate_header_repeated"),
        (format!("Chain=\"{escaped}\""), "certificate_malformed"),
        (String::from("By=spiffe://a;URI=b"), "absent"),
        (format!("Hash={}x", hex()), "certificate_malformed"),
        (format!("Hash={};Subject=\"open", hex()), "certificate_malformed"),
        (format!("Hash={};a\"b\"=c", hex()), "certificate_malformed"),
        (format!("Hash={};Subject=a\"b\"", hex()), "certificate_malformed"),
    ] {
        assert_eq!(read(from_xfcc(&field, 0)), reason, "{field}");
    }
}

#[test]
fn googles_fingerprint_counts_only_where_the_platform_says_that_it_verified() {
    let fingerprint = STANDARD.encode(sha256::digest(&der()));
    let fingerprint = fingerprint.trim_end_matches('=');
    let google = |present, verified| read(from_google(Some(fingerprint), present, verified));
    assert_eq!(google(Some("true"), Some("true")), EXPECTED);
    assert_eq!(google(Some("false"), Some("false")), "absent");
    assert_eq!(read(from_google(None, None, None)), "absent");
    for (present, verified) in [
        (None, None),
        (None, Some("true")),
        (Some("true"), None),
        (Some("true"), Some("false")),
        (Some("1"), Some("1")),
    ] {
        assert_eq!(google(present, verified), "certificate_unverified");
    }
    assert_eq!(read(from_google(None, Some("true"), Some("true"))), "certificate_malformed");
    // Of the other alphabet, with padding, or with spare bits set: not what the platform writes.
    for wrong in [EXPECTED.replace(['+', '/'], "-"), format!("{fingerprint}="), hex()] {
        if wrong.contains(['-', '_', '=']) || wrong.len() == 64 {
            assert_eq!(read(from_google(Some(&wrong), Some("true"), Some("true"))), "certificate_malformed");
        }
    }
}
