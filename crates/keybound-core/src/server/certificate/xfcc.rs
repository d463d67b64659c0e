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
    // Read from the front, where the quotes begin. A quote that the client left open would swallow the
    // nearest proxy's element; the quotes then do not come out even, and the field is refused.
    let Some(count) = split(field, b',').try_fold(0_usize, |count, part| part.map(|_| count.saturating_add(1))) else {
        return CertificateReading::Refused(Reason::CertificateMalformed);
    };
    let place = count.checked_sub(1).and_then(|last| last.checked_sub(from_end));
    let element = place.and_then(|place| split(field, b',').nth(place).flatten());
    match element.map(read_element) {
        // Fewer proxies than configured: the request came another way.
        None => CertificateReading::Refused(Reason::CertificateMalformed),
        Some(Ok(None)) => CertificateReading::Absent,
        Some(Ok(Some(thumbprint))) => CertificateReading::Certificate(thumbprint),
        Some(Err(reason)) => CertificateReading::Refused(reason),
    }
}

fn read_element(element: &str) -> Result<Option<Thumbprint>, Reason> {
    let (mut hash, mut certificate, mut chain) = (None, None, false);
    for pair in split(element, b';') {
        let pair = pair.ok_or(Reason::CertificateMalformed)?.trim_ascii();
        if pair.is_empty() {
            continue;
        }
        let (key, value) = pair.split_once('=').ok_or(Reason::CertificateMalformed)?;
        // A quote anywhere but around a value means that somebody else's quotes were left open.
        if key.is_empty() || !key.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Err(Reason::CertificateMalformed);
        }
        let value = unquote(value)?;
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
fn unquote(value: &str) -> Result<Cow<'_, str>, Reason> {
    let Some(rest) = value.strip_prefix('"') else {
        return if value.contains('"') { Err(Reason::CertificateMalformed) } else { Ok(Cow::Borrowed(value)) };
    };
    let inner = rest.strip_suffix('"').ok_or(Reason::CertificateMalformed)?;
    if !inner.contains(['\\', '"']) {
        return Ok(Cow::Borrowed(inner));
    }
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Err(Reason::CertificateMalformed),
            '\\' => text.push(characters.next().ok_or(Reason::CertificateMalformed)?),
            other => text.push(other),
        }
    }
    Ok(Cow::Owned(text))
}

/// The parts between separators that stand outside of quotes. The last one is `None` if a quote stays
/// open.
fn split(text: &str, separator: u8) -> impl Iterator<Item = Option<&str>> {
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
                    return Some(Some(part));
                }
                _ => {}
            }
        }
        rest = None;
        Some((!quoted).then_some(text))
    })
}
