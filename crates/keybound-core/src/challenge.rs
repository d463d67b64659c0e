//! Challenges of `WWW-Authenticate`, read and written (RFC 9110 §11.6.1; RFC 6750 §3; RFC 9449 §7.1).

use alloc::{borrow::Cow, string::String, vec::Vec};

/// One challenge of a field that may hold several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// The scheme as written; compare with [`Challenge::is_scheme`].
    pub scheme: &'a str,
    parameters: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Challenge<'a> {
    /// Whether this is a challenge of that scheme, compared without case (RFC 9110 §11.1).
    #[must_use]
    pub fn is_scheme(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The first parameter of this name, unquoted; names compare without case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(parameter, _)| parameter.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

/// Reads the challenges of a `WWW-Authenticate` field value, also of several joined by commas.
///
/// Never fails: what cannot be read is skipped up to the next comma, and parameters that nobody
/// asks for are ignored (RFC 9449 §7.1).
#[must_use]
pub fn parse(field: &str) -> Vec<Challenge<'_>> {
    let mut challenges: Vec<Challenge<'_>> = Vec::new();
    let mut items = Items::of(field);
    while let Some(item) = items.next() {
        match item {
            Item::Scheme(scheme) => challenges.push(Challenge { scheme, parameters: Vec::new() }),
            Item::Parameter(name, value) => {
                if let Some(challenge) = challenges.last_mut() {
                    challenge.parameters.push((name, value.unquoted()));
                }
            }
        }
    }
    challenges
}

/// What a field consists of, one after the other. For who looks for one parameter, this is less code than [`parse`].
pub(crate) enum Item<'a> {
    /// A challenge begins.
    Scheme(&'a str),
    /// One of its parameters.
    Parameter(&'a str, Parameter<'a>),
}

/// A parameter's value as it stands there: between quotes, with a backslash before what is escaped; a token has none.
#[derive(Clone, Copy)]
pub(crate) struct Parameter<'a>(&'a str);

impl<'a> Parameter<'a> {
    /// Whether this is the value, once unquoted.
    #[cfg(feature = "client")]
    pub(crate) fn is(self, value: &str) -> bool {
        let mut rest = value.bytes();
        let mut octets = self.0.bytes();
        while let Some(octet) = octets.next() {
            let meant = if octet == b'\\' { octets.next() } else { Some(octet) };
            if rest.next() != meant {
                return false;
            }
        }
        rest.next().is_none()
    }

    fn unquoted(self) -> Cow<'a, str> {
        if !self.0.contains('\\') {
            return Cow::Borrowed(self.0);
        }
        let mut text = String::with_capacity(self.0.len());
        let mut characters = self.0.chars();
        while let Some(character) = characters.next() {
            // An escaped character stands for itself, also a quote.
            text.extend(if character == '\\' { characters.next() } else { Some(character) });
        }
        Cow::Owned(text)
    }
}

/// The items of a field.
pub(crate) struct Items<'a> {
    reader: Reader<'a>,
    in_challenge: bool,
}

impl<'a> Items<'a> {
    /// Those of this field value.
    pub(crate) const fn of(field: &'a str) -> Self {
        Self { reader: Reader { text: field, at: 0 }, in_challenge: false }
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Option<Item<'a>> {
        let reader = &mut self.reader;
        loop {
            reader.skip(|octet| is_blank(octet) || octet == b',');
            reader.peek()?;
            let word = reader.take_while(is_token);
            if word.is_empty() {
                reader.skip_element();
                continue;
            }
            if let Some(value) = reader.parameter_value() {
                match value {
                    Some(value) if self.in_challenge => return Some(Item::Parameter(word, value)),
                    _ => reader.skip_element(),
                }
                continue;
            }
            // Not followed by "=": a scheme, and after a blank its token68 or its first parameter.
            let blanks = reader.take_while(is_blank);
            if blanks.is_empty() && !matches!(reader.peek(), None | Some(b',')) {
                reader.skip_element();
                continue;
            }
            if !blanks.is_empty() && reader.is_at_token68() {
                reader.skip_element();
            }
            self.in_challenge = true;
            return Some(Item::Scheme(word));
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// RFC 9110 §5.6.2.
pub(crate) const fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// Whether a text is a token68 (RFC 9110 §11.2), with padding or without.
#[cfg(any(feature = "client", feature = "server"))]
pub(crate) fn is_token68_text(text: &str) -> bool {
    let mut octets = text.as_bytes();
    while let [before @ .., b'='] = octets {
        octets = before;
    }
    !octets.is_empty() && octets.iter().copied().all(is_token68)
}

/// Whether an octet may stand in a token68 before its padding.
const fn is_token68(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip(&mut self, accept: fn(u8) -> bool) {
        while self.peek().is_some_and(accept) {
            self.step();
        }
    }

    fn take_while(&mut self, accept: fn(u8) -> bool) -> &'a str {
        let start = self.at;
        self.skip(accept);
        self.text.get(start..self.at).unwrap_or("")
    }

    /// Moves to the next comma outside quotes.
    fn skip_element(&mut self) {
        while let Some(octet) = self.peek() {
            match octet {
                b',' => return,
                b'"' => {
                    self.quoted_string();
                }
                _ => self.step(),
            }
        }
    }

    /// After a name: `None` if no "=" follows; else the value, which is `None` where it cannot be read.
    fn parameter_value(&mut self) -> Option<Option<Parameter<'a>>> {
        let before = self.at;
        self.skip(is_blank);
        if self.peek() != Some(b'=') {
            self.at = before;
            return None;
        }
        self.step();
        self.skip(is_blank);
        if self.peek() == Some(b'"') {
            return Some(self.quoted_string());
        }
        let value = self.take_while(is_token);
        Some((!value.is_empty()).then_some(Parameter(value)))
    }

    fn quoted_string(&mut self) -> Option<Parameter<'a>> {
        self.step();
        let start = self.at;
        loop {
            match self.peek()? {
                b'"' => {
                    let value = self.text.get(start..self.at)?;
                    self.step();
                    return Some(Parameter(value));
                }
                // Of a longer character the rest follows by itself.
                b'\\' => {
                    self.step();
                    self.peek()?;
                    self.step();
                }
                _ => self.step(),
            }
        }
    }

    /// Whether the rest up to the next comma is a token68 (and not a parameter).
    fn is_at_token68(&self) -> bool {
        let mut ahead = Reader { ..*self };
        let body = ahead.take_while(is_token68);
        ahead.skip(|octet| octet == b'=');
        ahead.skip(is_blank);
        !body.is_empty() && matches!(ahead.peek(), None | Some(b','))
    }
}

/// Writes one challenge. Values come from this code or from configuration and are quoted as they need it.
#[derive(Debug)]
pub struct ChallengeWriter {
    out: String,
    empty: bool,
}

impl ChallengeWriter {
    /// A challenge of this scheme, without parameters yet.
    #[must_use]
    pub fn new(scheme: &str) -> Self {
        Self { out: String::from(scheme), empty: true }
    }

    /// Adds a parameter as a quoted string. Characters that no field value may hold are left out.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.out.push_str(if self.empty { " " } else { ", " });
        self.empty = false;
        self.out.push_str(name);
        self.out.push_str("=\"");
        for character in value.chars().filter(|character| matches!(character, ' '..='~')) {
            if matches!(character, '"' | '\\') {
                self.out.push('\\');
            }
            self.out.push(character);
        }
        self.out.push('"');
        self
    }

    /// The field value.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_schemes_in_one_field_are_told_apart() {
        let field = r#"Bearer realm="a, b", error="invalid_token", dpop algs="ES256 PS256" , error=use_dpop_nonce, Negotiate abc==, Basic"#;
        let challenges = parse(field);
        assert_eq!(challenges.iter().map(|c| c.scheme).collect::<Vec<_>>(), ["Bearer", "dpop", "Negotiate", "Basic"]);
        assert_eq!(challenges[0].param("realm"), Some("a, b"));
        assert!(challenges[1].is_scheme("DPoP"));
        assert_eq!(challenges[1].param("ERROR"), Some("use_dpop_nonce"));
        assert_eq!(challenges[1].param("algs"), Some("ES256 PS256"));
        assert_eq!(challenges[0].param("error"), Some("invalid_token"));
        assert_eq!(challenges[2].param("abc"), None);
    }

    #[test]
    fn quoted_strings_may_hide_schemes_and_escapes() {
        let challenges = parse(r#"Bearer x="\"DPoP error=\\\"use_dpop_nonce", DPoP error="use\_dpop_nonce""#);
        assert_eq!(challenges.len(), 2);
        assert_eq!(challenges[0].param("x"), Some("\"DPoP error=\\\"use_dpop_nonce"));
        assert_eq!(challenges[1].param("error"), Some("use_dpop_nonce"));
        let challenges = parse("DPoP error = \"a\" ,, ,\tnonce=b");
        assert_eq!((challenges[0].param("error"), challenges[0].param("nonce")), (Some("a"), Some("b")));
    }

    #[test]
    fn garbage_is_skipped() {
        for field in
            ["", ",", " , ,", "\"", "=", "DPoP \"", "error=\"x\"", "\u{e4}\u{f6}", "DPoP error=\"unterminated", "@, x"]
        {
            assert!(parse(field).iter().all(|challenge| challenge.param("error").is_none()), "{field}");
        }
        let challenges = parse("@@ x, DPoP error=\"invalid_token\"");
        assert_eq!(challenges.last().unwrap().param("error"), Some("invalid_token"));
        assert_eq!(parse(&"DPoP a=b, ".repeat(5000)).len(), 5000);
    }

    #[test]
    fn written_challenges_are_read_back() {
        let field = ChallengeWriter::new("DPoP").param("error", "use_dpop_nonce").param("x", "a\"b\\c\r\nd").finish();
        assert_eq!(field, r#"DPoP error="use_dpop_nonce", x="a\"b\\cd""#);
        assert_eq!(parse(&field)[0].param("x"), Some("a\"b\\cd"));
        assert_eq!(ChallengeWriter::new("Bearer").finish(), "Bearer");
    }
}
