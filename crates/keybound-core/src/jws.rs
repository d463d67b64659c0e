//! The compact serialization of a JWS (RFC 7515 §7.1): three parts, taken apart without decoding them.

/// The three parts, still encoded.
#[derive(Clone, Copy, Debug)]
pub struct Compact<'a> {
    /// What the signature covers: header, dot, payload.
    pub signing_input: &'a str,
    /// The encoded header.
    pub header: &'a str,
    /// The encoded payload.
    pub payload: &'a str,
    /// The encoded signature.
    pub signature: &'a str,
}

/// Splits a text at its dots. `None` unless there are exactly three parts.
#[must_use]
pub fn split(text: &str) -> Option<Compact<'_>> {
    let (header, rest) = cut(text)?;
    let (payload, signature) = cut(rest)?;
    if cut(signature).is_some() {
        return None;
    }
    let signing_input = text.get(..header.len().saturating_add(1).saturating_add(payload.len()))?;
    Some(Compact { signing_input, header, payload, signature })
}

/// Before and after the first dot. Octet by octet, which for texts of this length is faster than a search by words.
fn cut(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|octet| octet == b'.')?;
    Some((text.get(..at)?, text.get(at.saturating_add(1)..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_three_parts() {
        let parts = split("a.b.c").unwrap();
        assert_eq!((parts.signing_input, parts.header, parts.payload, parts.signature), ("a.b", "a", "b", "c"));
        assert!(split("").is_none() && split("a.b").is_none() && split("a.b.c.d").is_none());
        assert_eq!(split("..").unwrap().signature, "");
    }
}
