//! Client certificates as platforms report them, each reduced to its `x5t#S256` (RFC 8705 §3.1).

mod forwarded;
mod xfcc;

use alloc::{string::String, vec::Vec};

use crate::{base64url, hex, server::reason::Reason, sha256, thumbprint::Thumbprint};

pub use self::{
    forwarded::{
        from_aws_alb, from_aws_alb_passthrough, from_azure, from_cloudfront, from_google, from_haproxy, from_nginx,
        from_traefik,
    },
    xfcc::from_xfcc,
};

/// The longest certificate that is looked at, in octets of DER.
pub const MAX_CERTIFICATE_BYTES: usize = 16 * 1024;

/// What a platform says about the connection's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateReading {
    /// The client presented none.
    Absent,
    /// It presented this one and proved to hold its key.
    Certificate(Thumbprint),
    /// It presented one that must not count.
    Refused(Reason),
}

impl From<Result<Thumbprint, Reason>> for CertificateReading {
    fn from(result: Result<Thumbprint, Reason>) -> Self {
        match result {
            Ok(thumbprint) => Self::Certificate(thumbprint),
            Err(reason) => Self::Refused(reason),
        }
    }
}

/// The thumbprint of a DER certificate: one X.509 certificate and nothing after it.
///
/// # Errors
/// Anything else, or more than [`MAX_CERTIFICATE_BYTES`].
pub fn from_der(der: &[u8]) -> Result<Thumbprint, Reason> {
    if der.len() > MAX_CERTIFICATE_BYTES {
        return Err(Reason::CertificateTooLarge);
    }
    // Certificate ::= SEQUENCE { SEQUENCE tbsCertificate, SEQUENCE algorithm, BIT STRING signature }
    let whole = || {
        let (0x30, body, []) = element(der)? else { return None };
        let (0x30, to_be_signed, rest) = element(body)? else { return None };
        let (0x30, _, rest) = element(rest)? else { return None };
        let (0x03, _, []) = element(rest)? else { return None };
        (!to_be_signed.is_empty()).then_some(())
    };
    whole().ok_or(Reason::CertificateMalformed)?;
    Ok(Thumbprint::from_bytes(sha256::digest(der)))
}

/// Tag, content and what follows of one DER element with a definite, minimal length (X.690 §10.1).
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match *first {
        len @ 0..=0x7f => (usize::from(len), rest),
        0x81 => {
            let (len, rest) = rest.split_first()?;
            (usize::from(*len), rest)
        }
        0x82 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        _ => return None,
    };
    let minimal = match *first {
        0x81 => len >= 0x80,
        0x82 => len >= 0x100,
        _ => true,
    };
    let (content, after) = rest.split_at_checked(len)?;
    minimal.then_some((*tag, content, after))
}

/// The thumbprint of a PEM certificate (RFC 7468 §5): one block, white space around it, nothing else.
///
/// # Errors
/// Anything else.
pub fn from_pem(pem: &str) -> Result<Thumbprint, Reason> {
    if pem.len() > MAX_CERTIFICATE_BYTES.saturating_mul(2) {
        return Err(Reason::CertificateTooLarge);
    }
    let body = pem
        .trim_ascii()
        .strip_prefix("-----BEGIN CERTIFICATE-----")
        .and_then(|rest| rest.strip_suffix("-----END CERTIFICATE-----"))
        .ok_or(Reason::CertificateMalformed)?;
    let base64: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    from_der(&decode_standard(&base64)?)
}

/// The thumbprint of a certificate in a `Client-Cert` field: a byte sequence `:base64:` (RFC 9440 §2.1,
/// RFC 8941 §3.3.5). A list, a repeat or parameters are refused (RFC 9440 §2.2).
///
/// # Errors
/// Anything else.
pub fn from_rfc9440(field: &str) -> Result<Thumbprint, Reason> {
    let field = super::request::trim(field);
    if field.len() > MAX_CERTIFICATE_BYTES.saturating_mul(2) {
        return Err(Reason::CertificateTooLarge);
    }
    if field.contains(',') {
        return Err(Reason::CertificateHeaderRepeated);
    }
    let base64 = field.strip_prefix(':').and_then(|rest| rest.strip_suffix(':')).ok_or(Reason::CertificateMalformed)?;
    from_der(&decode_standard(base64)?)
}

/// Base64 with its padding (RFC 4648 §4).
fn decode_standard(base64: &str) -> Result<Vec<u8>, Reason> {
    base64url::decode_standard(base64).map_err(|_| Reason::CertificateMalformed)
}

/// A thumbprint from the hex digits of a SHA-256 fingerprint. Colons between octets are allowed.
///
/// # Errors
/// `certificate_sha1` for the length of a SHA-1 fingerprint, `certificate_malformed` for anything else.
pub fn from_hex(fingerprint: &str) -> Result<Thumbprint, Reason> {
    if fingerprint.len() > 128 {
        return Err(Reason::CertificateMalformed);
    }
    let colons = fingerprint.contains(':');
    if colons && !fingerprint.split(':').all(|octet| octet.len() == 2) {
        return Err(Reason::CertificateMalformed);
    }
    let mut digits = Vec::with_capacity(64);
    for octet in fingerprint.bytes().filter(|octet| *octet != b':') {
        digits.push(hex::value(octet).ok_or(Reason::CertificateMalformed)?);
    }
    match digits.len() {
        64 => {}
        40 => return Err(Reason::CertificateSha1),
        _ => return Err(Reason::CertificateMalformed),
    }
    let mut octets = [0; 32];
    for (octet, [high, low]) in octets.iter_mut().zip(digits.as_chunks::<2>().0) {
        *octet = (high << 4) | low;
    }
    Ok(Thumbprint::from_bytes(octets))
}

/// The fields of Cloudflare's `request.cf.tlsClientAuth` that decide. All are strings there: "0" is truthy.
#[derive(Clone, Copy, Debug, Default)]
pub struct CloudflareFields<'a> {
    /// `certPresented`: "1" or "0".
    pub presented: &'a str,
    /// `certVerified`: "SUCCESS", "NONE" or "FAILED:reason".
    pub verified: &'a str,
    /// `certRevoked`: "0" or "1".
    pub revoked: &'a str,
    /// `certRFC9440`: the certificate, empty without one and when it is too large.
    pub rfc9440: &'a str,
    /// `certFingerprintSHA256`: hex.
    pub fingerprint_sha256: &'a str,
}

/// Reads what Cloudflare reports.
///
/// `allow_self_signed` lets that one verification failure pass (RFC 8705 §2.2: possession is still
/// proven), never an expired or revoked certificate.
#[must_use]
pub fn from_cloudflare(fields: &CloudflareFields<'_>, allow_self_signed: bool) -> CertificateReading {
    match fields.presented {
        "1" => {}
        "" | "0" => return CertificateReading::Absent,
        _ => return CertificateReading::Refused(Reason::CertificateMalformed),
    }
    if fields.revoked != "0" {
        return CertificateReading::Refused(Reason::CertificateRevoked);
    }
    let self_signed = ["FAILED:self signed certificate", "FAILED:self-signed certificate"]
        .iter()
        .any(|text| fields.verified.eq_ignore_ascii_case(text));
    if fields.verified != "SUCCESS" && !(allow_self_signed && self_signed) {
        return CertificateReading::Refused(Reason::CertificateUnverified);
    }
    // Never hash an empty value: it is the same for everybody.
    let thumbprint =
        if fields.rfc9440.is_empty() { from_hex(fields.fingerprint_sha256) } else { from_rfc9440(fields.rfc9440) };
    thumbprint.into()
}

#[cfg(test)]
mod tests;
