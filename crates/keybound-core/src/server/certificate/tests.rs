mod platforms;

use alloc::{
    format,
    string::{String, ToString},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;

fn vector(file: &str, pointer: &str) -> String {
    let file: serde_json::Value = serde_json::from_str(file).unwrap();
    file.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_else(|| panic!("{pointer}")).to_string()
}

fn rfc8705(pointer: &str) -> String {
    vector(include_str!("../../../../../tests/vectors/rfc8705.json"), pointer)
}

#[test]
fn every_encoding_of_one_certificate_has_one_thumbprint() {
    let (pem, base64) = (rfc8705("/pem"), rfc8705("/der_base64"));
    let expected = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
    let der = STANDARD.decode(&base64).unwrap();
    let hex: String = sha256::digest(&der).iter().map(|octet| format!("{octet:02x}")).collect();
    let colons = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8(pair.to_vec()).unwrap().to_uppercase())
        .collect::<Vec<_>>()
        .join(":");
    for thumbprint in
        [from_der(&der), from_pem(&pem), from_rfc9440(&format!(" :{base64}: ")), from_hex(&hex), from_hex(&colons)]
    {
        assert_eq!(thumbprint.unwrap().to_base64url(), expected);
    }
}

#[test]
fn der_is_one_certificate_and_nothing_after_it() {
    let der = STANDARD.decode(rfc8705("/der_base64")).unwrap();
    let longer = [der.as_slice(), &[0]].concat();
    let pem_text = rfc8705("/pem");
    for bad in [
        &[][..],
        &[0x30],
        &[0x30, 0x80, 0, 0],
        &der[1..],
        &der[..der.len() - 1],
        &longer,
        pem_text.as_bytes(),
        &[0x30, 0],
    ] {
        assert_eq!(from_der(bad), Err(Reason::CertificateMalformed));
    }
    assert_eq!(from_der(&[0x30; MAX_CERTIFICATE_BYTES + 1]), Err(Reason::CertificateTooLarge));
    // The key alone is no certificate: SPKI is SEQUENCE { SEQUENCE, BIT STRING }.
    assert_eq!(from_der(&[0x30, 7, 0x30, 2, 5, 0, 3, 1, 0]), Err(Reason::CertificateMalformed));
}

#[test]
fn pem_is_one_block() {
    let pem = rfc8705("/pem");
    for bad in [
        format!("{pem}{pem}"),
        pem.replace("BEGIN CERTIFICATE", "BEGIN PUBLIC KEY"),
        format!("x{pem}"),
        format!("{pem}x"),
        String::new(),
        "-----BEGIN CERTIFICATE----------END CERTIFICATE-----".to_string(),
    ] {
        assert_eq!(from_pem(&bad), Err(Reason::CertificateMalformed), "{bad}");
    }
    assert!(from_pem(&pem.replace('\n', "\r\n")).is_ok());
}

#[test]
fn the_rfc_9440_field_is_a_single_byte_sequence() {
    let base64 = rfc8705("/der_base64");
    let good = format!(":{base64}:");
    assert!(from_rfc9440(&good).is_ok());
    for (bad, reason) in [
        (format!("{good}, {good}"), Reason::CertificateHeaderRepeated),
        (format!("{good};q=1"), Reason::CertificateMalformed),
        (base64.clone(), Reason::CertificateMalformed),
        ("::".to_string(), Reason::CertificateMalformed),
        (":".to_string(), Reason::CertificateMalformed),
        (String::new(), Reason::CertificateMalformed),
        (good.replace('+', "-").replace('/', "_"), Reason::CertificateMalformed),
        (":".repeat(100_000), Reason::CertificateTooLarge),
    ] {
        assert_eq!(from_rfc9440(&bad), Err(reason));
    }
}

#[test]
fn only_sha_256_in_hex_is_a_fingerprint() {
    assert_eq!(from_hex(&"a".repeat(40)), Err(Reason::CertificateSha1));
    assert_eq!(from_hex(&["ab"; 20].join(":")), Err(Reason::CertificateSha1));
    for bad in [
        "",
        &"a".repeat(63),
        &"a".repeat(65),
        &"g".repeat(64),
        &"a".repeat(43),
        &format!("{}:", "a".repeat(64)),
        &"ä".repeat(32),
    ] {
        assert_eq!(from_hex(bad), Err(Reason::CertificateMalformed), "{bad}");
    }
}

#[test]
fn cloudflare_must_say_presented_verified_and_not_revoked() {
    let base64 = format!(":{}:", rfc8705("/der_base64"));
    let good = CloudflareFields {
        presented: "1",
        verified: "SUCCESS",
        revoked: "0",
        rfc9440: &base64,
        fingerprint_sha256: "",
    };
    let thumbprint = from_rfc9440(&base64).unwrap();
    assert_eq!(from_cloudflare(&good, false), CertificateReading::Certificate(thumbprint));
    let hex = "ab".repeat(32);
    let too_large = CloudflareFields { rfc9440: "", fingerprint_sha256: &hex, ..good };
    assert_eq!(from_cloudflare(&too_large, false), CertificateReading::Certificate(Thumbprint::from_bytes([0xab; 32])));

    let refused = |fields: CloudflareFields<'_>, allow| match from_cloudflare(&fields, allow) {
        CertificateReading::Refused(reason) => Some(reason),
        _ => None,
    };
    assert_eq!(from_cloudflare(&CloudflareFields { presented: "0", ..good }, false), CertificateReading::Absent);
    assert_eq!(from_cloudflare(&CloudflareFields::default(), true), CertificateReading::Absent);
    assert_eq!(refused(CloudflareFields { presented: "true", ..good }, false), Some(Reason::CertificateMalformed));
    assert_eq!(refused(CloudflareFields { revoked: "1", ..good }, true), Some(Reason::CertificateRevoked));
    assert_eq!(refused(CloudflareFields { revoked: "", ..good }, true), Some(Reason::CertificateRevoked));
    for verified in [
        "NONE",
        "",
        "success",
        "FAILED:certificate has expired",
        "FAILED:self signed certificate in certificate chain",
        "FAILED",
    ] {
        assert_eq!(
            refused(CloudflareFields { verified, ..good }, true),
            Some(Reason::CertificateUnverified),
            "{verified}"
        );
    }
    let self_signed = CloudflareFields { verified: "FAILED:self signed certificate", ..good };
    assert_eq!(refused(self_signed, false), Some(Reason::CertificateUnverified));
    assert_eq!(from_cloudflare(&self_signed, true), CertificateReading::Certificate(thumbprint));
    let empty = CloudflareFields { rfc9440: "", ..good };
    assert_eq!(refused(empty, false), Some(Reason::CertificateMalformed));
    let sha1 = "ab".repeat(20);
    assert_eq!(refused(CloudflareFields { fingerprint_sha256: &sha1, ..empty }, false), Some(Reason::CertificateSha1));
}

#[test]
fn the_examples_of_rfc_9440_are_read() {
    let file = include_str!("../../../../../tests/vectors/rfc9440.json");
    let json: serde_json::Value = serde_json::from_str(file).unwrap();

    let field = json["client_cert_header"].as_str().unwrap().to_string();
    assert_eq!(from_rfc9440(&field).unwrap().to_base64url(), "v68ffgcPn6jdYpBfFY2nP4ShE2Yk-6_Mk5PI9yh6aes");
}
