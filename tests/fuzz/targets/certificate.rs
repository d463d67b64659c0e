//! Certificates: one certificate has one thumbprint, whichever way a platform reports it. The first
//! octet chooses the way that the rest is read; a DER certificate is then reported in each of them.
#![no_main]

use base64::{Engine, engine::general_purpose::STANDARD};
use keybound_core::server::certificate::{
    CertificateReading, CloudflareFields, from_cloudflare, from_der, from_hex, from_pem, from_rfc9440,
};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    let Some((way, data)) = data.split_first() else { return };
    if way % 5 == 0 {
        return der(data);
    }
    let Ok(text) = core::str::from_utf8(data) else { return };
    match way % 5 {
        1 => {
            if let Ok(thumbprint) = from_pem(text) {
                let body: String = text.split("-----").nth(2).unwrap_or("").split_ascii_whitespace().collect();
                assert_eq!(from_der(&STANDARD.decode(body).expect("PEM is base64")), Ok(thumbprint));
            }
        }
        2 => {
            if let Ok(thumbprint) = from_rfc9440(text) {
                let body = text.trim_matches([' ', '\t', ':']);
                assert_eq!(from_der(&STANDARD.decode(body).expect("a byte sequence is base64")), Ok(thumbprint));
            }
        }
        3 => {
            if let Ok(thumbprint) = from_hex(text) {
                let digits: String = text.chars().filter(|character| *character != ':').collect();
                assert_eq!(digits.len(), 64);
                assert_eq!(hex(thumbprint.as_bytes(), ""), digits.to_ascii_lowercase());
            }
        }
        _ => cloudflare(text),
    }
});

fn der(der: &[u8]) {
    let Ok(thumbprint) = from_der(der) else { return };
    assert_eq!(thumbprint.as_bytes()[..], Sha256::digest(der)[..]);
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).filter_map(|line| core::str::from_utf8(line).ok()).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\r\n{}\r\n-----END CERTIFICATE-----\r\n", lines.join("\r\n"));
    assert_eq!(from_pem(&pem), Ok(thumbprint));
    assert_eq!(from_rfc9440(&format!(":{base64}:")), Ok(thumbprint));
    assert_eq!(from_hex(&hex(thumbprint.as_bytes(), ":")), Ok(thumbprint));
    // Octets after or before it, or one less, are another text and no certificate.
    assert!(from_der(&[der, &[0]].concat()).is_err());
    assert!(from_der(der.get(1..).unwrap_or_default()).is_err() || der.get(1) == Some(&0x30));
    assert!(der.split_last().is_none_or(|(_, shorter)| from_der(shorter).is_err()));
}

/// The fields, one a line.
fn cloudflare(text: &str) {
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or("");
    let fields = CloudflareFields {
        presented: next(),
        verified: next(),
        revoked: next(),
        rfc9440: next(),
        fingerprint_sha256: next(),
    };
    let strict = from_cloudflare(&fields, false);
    if let CertificateReading::Certificate(_) = strict {
        assert_eq!((fields.presented, fields.verified, fields.revoked), ("1", "SUCCESS", "0"));
        assert_eq!(from_cloudflare(&fields, true), strict);
    }
    if let CertificateReading::Certificate(thumbprint) = from_cloudflare(&fields, true) {
        assert_eq!((fields.presented, fields.revoked), ("1", "0"));
        let reported = [from_rfc9440(fields.rfc9440), from_hex(fields.fingerprint_sha256)];
        assert!(reported.contains(&Ok(thumbprint)));
    }
}

fn hex(octets: &[u8], separator: &str) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(separator)
}
