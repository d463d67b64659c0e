//! Certificates in header fields that a platform overwrites, each in that platform's own encoding.
//!
//! An empty field is the platform's way to say that there is no certificate; it is never hashed.
//! A comma never stands inside one of these values, so one means that the field is there twice.

use alloc::vec::Vec;

use super::{
    CertificateReading, MAX_CERTIFICATE_BYTES, Reason, Thumbprint, decode_standard, from_der, from_hex, from_pem,
};
use crate::{base64url, hex, server::request};

/// The longest field that is looked at, in octets: every octet of a PEM text may be escaped.
pub(super) const MAX_FIELD_BYTES: usize = MAX_CERTIFICATE_BYTES * 6;

/// nginx: a field filled from `$ssl_client_escaped_cert`, URL-encoded PEM.
#[must_use]
pub fn from_nginx(field: &str) -> CertificateReading {
    single(field, escaped_pem)
}

/// `HAProxy`: a field filled from `%[ssl_c_der,base64]` or `%[ssl_c_der,sha2(256),hex]`.
#[must_use]
pub fn from_haproxy(field: &str) -> CertificateReading {
    single(field, |value| if is_hex(value) { from_hex(value) } else { base64_der(value) })
}

/// Traefik: `X-Forwarded-Tls-Client-Cert`, DER in base64 without PEM's lines; a chain is separated by
/// commas, the client's certificate first. Older versions escape it as in a URL.
#[must_use]
pub fn from_traefik(field: &str) -> CertificateReading {
    let leaf = field.split_once(',').map_or(field, |(leaf, _)| leaf);
    if field.len() > MAX_FIELD_BYTES {
        return CertificateReading::Refused(Reason::CertificateTooLarge);
    }
    single(leaf, |value| {
        let value = percent_decode(value)?;
        base64_der(core::str::from_utf8(&value).map_err(|_| Reason::CertificateMalformed)?)
    })
}

/// AWS Application Load Balancer in verify mode: `X-Amzn-Mtls-Clientcert-Leaf`, URL-encoded PEM in which
/// `+` is a plus.
#[must_use]
pub fn from_aws_alb(field: &str) -> CertificateReading {
    single(field, escaped_pem)
}

/// AWS Application Load Balancer in passthrough mode: `X-Amzn-Mtls-Clientcert`, the client's chain as it
/// was sent, its own certificate first. Nobody verified it: for bound tokens the proof of possession in
/// the handshake is enough (RFC 8705 §6.2).
#[must_use]
pub fn from_aws_alb_passthrough(field: &str) -> CertificateReading {
    single(field, |value| {
        const END: &str = "-----END CERTIFICATE-----";
        let pem = percent_decode(value)?;
        let pem = core::str::from_utf8(&pem).map_err(|_| Reason::CertificateMalformed)?;
        // Not `find`: for a text of any kind it is a kilobyte of code.
        let found = pem.as_bytes().windows(END.len()).position(|window| window == END.as_bytes());
        let end = found.ok_or(Reason::CertificateMalformed)?.saturating_add(END.len());
        let (first, others) = pem.split_at_checked(end).ok_or(Reason::CertificateMalformed)?;
        let others = others.trim_ascii();
        if !(others.is_empty() || others.starts_with("-----BEGIN CERTIFICATE-----")) {
            return Err(Reason::CertificateMalformed);
        }
        from_pem(first)
    })
}

/// Amazon `CloudFront`: `CloudFront-Viewer-Cert-Sha256`, hex.
#[must_use]
pub fn from_cloudfront(field: &str) -> CertificateReading {
    single(field, from_hex)
}

/// Azure App Service: `X-ARR-ClientCert`, DER in base64. The platform does not verify it.
#[must_use]
pub fn from_azure(field: &str) -> CertificateReading {
    single(field, base64_der)
}

/// Google Cloud load balancers: fields filled from `{client_cert_sha256_fingerprint}` (base64 without
/// padding), `{client_cert_present}` and `{client_cert_chain_verified}`. `None`: the field is not there.
#[must_use]
pub fn from_google(
    fingerprint: Option<&str>,
    present: Option<&str>,
    chain_verified: Option<&str>,
) -> CertificateReading {
    let yes = |field: Option<&str>| field.map(request::trim).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    match (fingerprint, present) {
        (None, None) => return CertificateReading::Absent,
        (_, Some(value)) if request::trim(value).eq_ignore_ascii_case("false") => return CertificateReading::Absent,
        // Only if all three are there do they come from the platform.
        _ if yes(present) && yes(chain_verified) => {}
        _ => return CertificateReading::Refused(Reason::CertificateUnverified),
    }
    match single(fingerprint.unwrap_or_default(), standard_thumbprint) {
        CertificateReading::Absent => CertificateReading::Refused(Reason::CertificateMalformed),
        reading => reading,
    }
}

fn standard_thumbprint(value: &str) -> Result<Thumbprint, Reason> {
    // 20 octets are 27 characters.
    let sha1 = value.len() == 27 && !value.bytes().any(|octet| matches!(octet, b'-' | b'_'));
    let wrong = if sha1 { Reason::CertificateSha1 } else { Reason::CertificateMalformed };
    let octets = base64url::decode_standard_unpadded(value).map_err(|_| wrong)?;
    <[u8; 32]>::try_from(octets.as_slice()).map(Thumbprint::from_bytes).map_err(|_| wrong)
}

/// Reads a field that holds one value.
fn single(field: &str, read: fn(&str) -> Result<Thumbprint, Reason>) -> CertificateReading {
    let value = request::trim(field);
    if value.is_empty() {
        return CertificateReading::Absent;
    }
    if value.len() > MAX_FIELD_BYTES {
        return CertificateReading::Refused(Reason::CertificateTooLarge);
    }
    if value.contains(',') {
        return CertificateReading::Refused(Reason::CertificateHeaderRepeated);
    }
    read(value).into()
}

/// URL-encoded PEM. `+` is a plus: these platforms escape a space as `%20`.
pub(super) fn escaped_pem(value: &str) -> Result<Thumbprint, Reason> {
    if is_hex(value) {
        // nginx's `$ssl_client_fingerprint` is SHA-1. A SHA-256 is not what this field is for either.
        return from_hex(value).and(Err(Reason::CertificateMalformed));
    }
    let pem = percent_decode(value)?;
    from_pem(core::str::from_utf8(&pem).map_err(|_| Reason::CertificateMalformed)?)
}

fn base64_der(value: &str) -> Result<Thumbprint, Reason> {
    if is_hex(value) {
        return from_hex(value).and(Err(Reason::CertificateMalformed));
    }
    from_der(&decode_standard(value)?)
}

/// Hex digits of a hash, which no certificate looks like.
fn is_hex(value: &str) -> bool {
    value.len() <= 128 && value.bytes().all(|octet| octet.is_ascii_hexdigit() || octet == b':')
}

/// RFC 3986 §2.1; a `%` without two digits is refused.
fn percent_decode(value: &str) -> Result<Vec<u8>, Reason> {
    let mut octets = value.bytes();
    let mut decoded = Vec::with_capacity(value.len());
    while let Some(octet) = octets.next() {
        if octet != b'%' {
            decoded.push(octet);
            continue;
        }
        let mut digit = || octets.next().and_then(hex::value).ok_or(Reason::CertificateMalformed);
        decoded.push((digit()? << 4) | digit()?);
    }
    Ok(decoded)
}
