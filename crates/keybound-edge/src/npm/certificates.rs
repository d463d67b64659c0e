//! Certificate sources: the JavaScript side fetches a field, the core reads it.
//!
//! A reading is written as a text: empty without a certificate, `!` and a reason's code for one
//! that is refused, else the 43 characters of its `x5t#S256`.

use alloc::string::String;

use keybound_core::{
    server::{
        certificate::{self, CertificateReading, CloudflareFields},
        reason::Reason,
    },
    thumbprint::Thumbprint,
};
use wasm_bindgen::prelude::*;

pub(super) fn parse_reading(text: &str) -> CertificateReading {
    if text.is_empty() {
        return CertificateReading::Absent;
    }
    if let Some(code) = text.strip_prefix('!') {
        let known = Reason::ALL.iter().copied().find(|reason| reason.code() == code);
        return CertificateReading::Refused(known.unwrap_or(Reason::CertificateRefused));
    }
    Thumbprint::parse(text).ok_or(Reason::CertificateMalformed).into()
}

fn write_reading(reading: CertificateReading) -> String {
    match reading {
        CertificateReading::Absent => String::new(),
        CertificateReading::Certificate(thumbprint) => thumbprint.to_base64url(),
        CertificateReading::Refused(reason) => {
            let mut out = String::from("!");
            out.push_str(reason.code());
            out
        }
    }
}

#[wasm_bindgen]
pub fn certificate_from_cloudflare(
    presented: &str,
    verified: &str,
    revoked: &str,
    rfc9440: &str,
    fingerprint_sha256: &str,
    allow_self_signed: bool,
) -> String {
    let fields = CloudflareFields { presented, verified, revoked, rfc9440, fingerprint_sha256 };
    write_reading(certificate::from_cloudflare(&fields, allow_self_signed))
}

#[wasm_bindgen]
pub fn certificate_from_client_cert(field: &str) -> String {
    write_reading(certificate::from_rfc9440(field).into())
}

#[wasm_bindgen]
pub fn certificate_from_der(der: &[u8]) -> String {
    write_reading(certificate::from_der(der).into())
}

/// PEM, or a thumbprint as hex or base64url.
#[wasm_bindgen]
pub fn certificate_from_text(text: &str) -> String {
    let text = text.trim();
    let reading = if text.starts_with('-') {
        certificate::from_pem(text)
    } else if let Some(thumbprint) = Thumbprint::parse(text) {
        Ok(thumbprint)
    } else {
        certificate::from_hex(text)
    };
    write_reading(reading.into())
}
