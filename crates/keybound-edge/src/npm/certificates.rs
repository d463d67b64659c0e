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

/// What one field says. The numbers are those of `certificate-fields.ts`; `from_end` counts Envoy's
/// elements.
#[wasm_bindgen]
pub fn certificate_from_field(platform: u8, field: &str, from_end: u32) -> String {
    write_reading(match platform {
        0 => certificate::from_rfc9440(field).into(),
        1 => certificate::from_xfcc(field, usize::try_from(from_end).unwrap_or(usize::MAX)),
        2 => certificate::from_nginx(field),
        3 => certificate::from_haproxy(field),
        4 => certificate::from_traefik(field),
        5 => certificate::from_aws_alb(field),
        6 => certificate::from_aws_alb_passthrough(field),
        7 => certificate::from_cloudfront(field),
        8 => certificate::from_azure(field),
        _ => CertificateReading::Refused(Reason::CertificateRefused),
    })
}

#[wasm_bindgen]
pub fn certificate_from_google(
    fingerprint: Option<String>,
    present: Option<String>,
    chain_verified: Option<String>,
) -> String {
    write_reading(certificate::from_google(fingerprint.as_deref(), present.as_deref(), chain_verified.as_deref()))
}

#[wasm_bindgen]
pub fn certificate_from_der(der: &[u8]) -> String {
    write_reading(certificate::from_der(der).into())
}

/// PEM, or a thumbprint as hex or base64url.
#[wasm_bindgen]
pub fn certificate_from_text(text: &str) -> String {
    let text = text.trim();
    // A thumbprint first: one in 64 begins with '-', as PEM does.
    let reading = if let Some(thumbprint) = Thumbprint::parse(text) {
        Ok(thumbprint)
    } else if text.starts_with('-') {
        certificate::from_pem(text)
    } else {
        certificate::from_hex(text)
    };
    write_reading(reading.into())
}
