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

use super::desk::Desk;

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

/// The texts: the members of [`CloudflareFields`] in their order.
#[unsafe(no_mangle)]
extern "C" fn certificate_from_cloudflare(desk: &mut Desk, len: usize, allow_self_signed: bool) {
    let reading = match desk.texts(len) {
        Some([presented, verified, revoked, rfc9440, fingerprint_sha256]) => {
            let fields = CloudflareFields { presented, verified, revoked, rfc9440, fingerprint_sha256 };
            certificate::from_cloudflare(&fields, allow_self_signed)
        }
        None => CertificateReading::Refused(Reason::CertificateMalformed),
    };
    desk.output = write_reading(reading);
}

/// What one field says. The numbers are those of `certificate-fields.ts`; `from_end` counts Envoy's
/// elements.
#[unsafe(no_mangle)]
extern "C" fn certificate_from_field(desk: &mut Desk, len: usize, platform: u32, from_end: usize) {
    let field = desk.text(len);
    desk.output = write_reading(match platform {
        0 => certificate::from_rfc9440(field).into(),
        1 => certificate::from_xfcc(field, from_end),
        2 => certificate::from_nginx(field),
        3 => certificate::from_haproxy(field),
        4 => certificate::from_traefik(field),
        5 => certificate::from_aws_alb(field),
        6 => certificate::from_aws_alb_passthrough(field),
        7 => certificate::from_cloudfront(field),
        8 => certificate::from_azure(field),
        _ => CertificateReading::Refused(Reason::CertificateRefused),
    });
}

/// The texts: fingerprint, whether one is present, whether its chain was verified. One that is absent is a lone
/// U+0001, which no field has.
#[unsafe(no_mangle)]
extern "C" fn certificate_from_google(desk: &mut Desk, len: usize) {
    let reading = match desk.texts(len) {
        Some(fields) => {
            let [fingerprint, present, chain_verified] =
                fields.map(|field| Some(field).filter(|field| *field != "\u{1}"));
            certificate::from_google(fingerprint, present, chain_verified)
        }
        None => CertificateReading::Refused(Reason::CertificateMalformed),
    };
    desk.output = write_reading(reading);
}

/// The octets are the certificate.
#[unsafe(no_mangle)]
extern "C" fn certificate_from_der(desk: &mut Desk, len: usize) {
    desk.output = write_reading(certificate::from_der(desk.octets(len)).into());
}

/// PEM, or a thumbprint as hex or base64url.
#[unsafe(no_mangle)]
extern "C" fn certificate_from_text(desk: &mut Desk, len: usize) {
    let text = desk.text(len).trim();
    // A thumbprint first: one in 64 begins with '-', as PEM does.
    let reading = if let Some(thumbprint) = Thumbprint::parse(text) {
        Ok(thumbprint)
    } else if text.starts_with('-') {
        certificate::from_pem(text)
    } else {
        certificate::from_hex(text)
    };
    desk.output = write_reading(reading.into());
}
