//! Envoy's `X-Forwarded-Client-Cert`: a list of elements, one a proxy, each a list of `key=value`.
//!
//! With `APPEND_FORWARD` the client writes the first elements, so they are counted from the end.

use alloc::{borrow::Cow, string::String};

use super::{
    CertificateReading, Reason, Thumbprint,
    forwarded::{MAX_FIELD_BYTES, escaped_pem},
    from_hex,
};

/// The certificate of the element `from_end` (0 is the last: the nearest proxy's), by its `Hash`, its
/// `Cert`, or both if they agree.
#[must_use]
pub fn from_xfcc(field: &str, from_end: usize) -> CertificateReading {
    if field.len() > MAX_FIELD_BYTES {
        return CertificateReading::Refused(Reason::CertificateTooLarge);
    }
    if field.trim_ascii().is_empty() {
        return CertificateReading::Absent;
    }
    if !is_well_formed(field) {
        return CertificateReading::Refused(Reason::CertificateMalformed);
    }
    let count = split(field, b',').count();
    let place = count.checked_sub(1).and_then(|last| last.checked_sub(from_end));
    let element = place.and_then(|place| split(field, b',').nth(place));
    match element.map(read_element) {
        // Fewer proxies than configured: the request came another way.
        None => CertificateReading::Refused(Reason::CertificateMalformed),
        Some(Ok(None)) => CertificateReading::Absent,
        Some(Ok(Some(thumbprint))) => CertificateReading::Certificate(thumbprint),
        Some(Err(reason)) => CertificateReading::Refused(reason),
    }
}

/// Whether every quote opens a value and is closed at its end, in all elements. A client that leaves one
/// open in its own element, or a name in its certificate that escapes another one's quotes, would else
/// move the place where the nearest proxy's element begins.
fn is_well_formed(field: &str) -> bool {
    let (mut quoted, mut escaped, mut closed, mut before) = (false, false, false, 0);
    for octet in field.bytes() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if quoted => (quoted, closed) = (false, true),
            _ if quoted => {}
            b';' | b',' => closed = false,
            b' ' | b'\t' => {}
            _ if closed => return false,
            b'"' if before == b'=' => quoted = true,
            b'"' | b'\\' => return false,
            _ => {}
        }
        before = octet;
    }
    !quoted
}

fn read_element(element: &str) -> Result<Option<Thumbprint>, Reason> {
    let (mut hash, mut certificate, mut chain) = (None, None, false);
    for pair in split(element, b';') {
        let pair = pair.trim_ascii();
        if pair.is_empty() {
            continue;
        }
        let (key, value) = pair.split_once('=').ok_or(Reason::CertificateMalformed)?;
        if key.is_empty() || !key.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Err(Reason::CertificateMalformed);
        }
        let value = unquote(value);
        // Keys are case-insensitive.
        let place = if key.eq_ignore_ascii_case("hash") {
            &mut hash
        } else if key.eq_ignore_ascii_case("cert") {
            &mut certificate
        } else {
            chain |= key.eq_ignore_ascii_case("chain");
            continue;
        };
        if place.replace(value).is_some() {
            return Err(Reason::CertificateHeaderRepeated);
        }
    }
    let hash = hash.map(|hash| from_hex(&hash)).transpose()?;
    let certificate = certificate.map(|certificate| escaped_pem(&certificate)).transpose()?;
    match (hash, certificate) {
        (Some(hash), Some(certificate)) if hash != certificate => Err(Reason::CertificateMalformed),
        // A chain says nothing certain about which certificate is the client's.
        (None, None) if chain => Err(Reason::CertificateMalformed),
        (hash, certificate) => Ok(hash.or(certificate)),
    }
}

/// The value, without its quotes and the backslashes before quotes in it.
fn unquote(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(text)
}

/// The parts between separators that stand outside of quotes.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let (mut quoted, mut escaped) = (false, false);
        for (place, octet) in text.bytes().enumerate() {
            match octet {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                octet if octet == separator && !quoted => {
                    let (part, after) = text.split_at_checked(place)?;
                    rest = after.get(1..);
                    return Some(part);
                }
                _ => {}
            }
        }
        rest = None;
        Some(text)
    })
}
