//! A strict JSON reader (RFC 8259) for JOSE headers, claims and keys.
//!
//! Stricter than most: the text is one complete object in valid UTF-8 without a byte order mark;
//! no name stands twice in an object, compared after unescaping (RFC 7515 §4, RFC 7519 §4); no
//! lone surrogates; a bounded depth. Numbers stay text: who needs one reads it as what it is.
//! The caller bounds the size.

use alloc::{borrow::Cow, collections::BinaryHeap, string::String, vec::Vec};

use crate::hex;

/// How deep objects and arrays may nest.
pub const MAX_DEPTH: usize = 32;

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// The octets are not UTF-8 (RFC 7519 §7.2).
    NotUtf8,
    /// Not JSON, or something after it.
    Syntax,
    /// JSON, but no object.
    NotAnObject,
    /// A name stands twice in one object.
    DuplicateName,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// A JSON value, borrowed from its text where that holds no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// The text of a number.
    Number(&'a str),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The object, if it is one.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text of the number, if it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<&'a str> {
        match self {
            Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

/// A JSON object. Its names differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// Reads a text that is one JSON object and nothing else.
    ///
    /// # Errors
    /// See [`JsonError`].
    pub fn parse(octets: &'a [u8]) -> Result<Self, JsonError> {
        let text = core::str::from_utf8(octets).map_err(|_| JsonError::NotUtf8)?;
        let mut reader = Reader { text, at: 0 };
        reader.skip_blanks();
        let value = reader.value(0)?;
        reader.skip_blanks();
        if reader.at != text.len() {
            return Err(JsonError::Syntax);
        }
        match value {
            Value::Object(object) => Ok(object),
            _ => Err(JsonError::NotAnObject),
        }
    }

    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The members in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// How many members there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn has_duplicates(&self) -> bool {
        // Few members: compare all pairs. Many: in order, so that hostile input stays cheap; a heap
        // takes a tenth of the code of a sort.
        if self.members.len() <= 16 {
            return self
                .members
                .iter()
                .enumerate()
                .any(|(index, (name, _))| self.members.iter().take(index).any(|(earlier, _)| earlier == name));
        }
        let mut names: BinaryHeap<&str> = self.members.iter().map(|(name, _)| name.as_ref()).collect();
        let mut previous = names.pop();
        while let Some(name) = names.pop() {
            if previous == Some(name) {
                return true;
            }
            previous = Some(name);
        }
        false
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Only over an octet that is there.
    fn step(&mut self) {
        self.at = self.at.wrapping_add(1);
    }

    fn take(&mut self, octet: u8) -> Result<(), JsonError> {
        if self.peek() != Some(octet) {
            return Err(JsonError::Syntax);
        }
        self.step();
        Ok(())
    }

    fn take_word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, JsonError> {
        let rest = self.text.get(self.at..).ok_or(JsonError::Syntax)?;
        if !rest.starts_with(word) {
            return Err(JsonError::Syntax);
        }
        self.at = self.at.saturating_add(word.len());
        Ok(value)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step();
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep);
        }
        let inner = depth.saturating_add(1);
        match self.peek().ok_or(JsonError::Syntax)? {
            b'{' => self.object(inner).map(Value::Object),
            b'[' => self.array(inner).map(Value::Array),
            b'"' => self.string().map(Value::String),
            b't' => self.take_word("true", Value::Bool(true)),
            b'f' => self.take_word("false", Value::Bool(false)),
            b'n' => self.take_word("null", Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Object<'a>, JsonError> {
        self.step();
        let mut object = Object::default();
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.step();
            return Ok(object);
        }
        loop {
            self.skip_blanks();
            let name = self.string()?;
            self.skip_blanks();
            self.take(b':')?;
            self.skip_blanks();
            let value = self.value(depth)?;
            object.members.push((name, value));
            self.skip_blanks();
            if self.peek() == Some(b',') {
                self.step();
                continue;
            }
            self.take(b'}')?;
            break;
        }
        if object.has_duplicates() { Err(JsonError::DuplicateName) } else { Ok(object) }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value<'a>>, JsonError> {
        self.step();
        let mut elements = Vec::new();
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.step();
            return Ok(elements);
        }
        loop {
            self.skip_blanks();
            elements.push(self.value(depth)?);
            self.skip_blanks();
            if self.peek() == Some(b',') {
                self.step();
                continue;
            }
            self.take(b']')?;
            return Ok(elements);
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.take(b'"')?;
        // What stands before the last escape, once there was one.
        let mut unescaped: Option<String> = None;
        let mut run = self.at;
        loop {
            match self.peek().ok_or(JsonError::Syntax)? {
                b'"' => {
                    let rest = self.text_from(run)?;
                    self.step();
                    return Ok(match unescaped {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                b'\\' => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(self.text_from(run)?);
                    self.step();
                    text.push(self.escape()?);
                    run = self.at;
                }
                0..=0x1f => return Err(JsonError::Syntax),
                _ => self.step(),
            }
        }
    }

    /// From there up to here.
    fn text_from(&self, start: usize) -> Result<&'a str, JsonError> {
        self.text.get(start..self.at).ok_or(JsonError::Syntax)
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let octet = self.peek().ok_or(JsonError::Syntax)?;
        self.step();
        Ok(match octet {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(JsonError::Syntax),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        let code = if (0xd800..=0xdbff).contains(&first) {
            self.take(b'\\')?;
            self.take(b'u')?;
            let second = self.hex4()?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return Err(JsonError::Syntax);
            }
            0x1_0000_u32.wrapping_add(((first & 0x3ff) << 10) | (second & 0x3ff))
        } else {
            first
        };
        char::from_u32(code).ok_or(JsonError::Syntax)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut value = 0_u32;
        for _ in 0..4 {
            let digit = self.peek().and_then(hex::value).ok_or(JsonError::Syntax)?;
            value = (value << 4) | u32::from(digit);
            self.step();
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.step();
        }
        match self.peek() {
            Some(b'0') => self.step(),
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(JsonError::Syntax),
        }
        if self.peek() == Some(b'.') {
            self.step();
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.step();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.step();
            }
            self.some_digits()?;
        }
        self.text_from(start)
    }

    fn some_digits(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(JsonError::Syntax);
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.step();
        }
    }
}

/// Appends a JSON string with its quotes, escaping what RFC 8259 §7 asks for.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    // By runs of what needs no escape, which nothing within a longer character does.
    let mut run = 0;
    for (at, octet) in text.bytes().enumerate() {
        if octet >= b' ' && octet != b'"' && octet != b'\\' {
            continue;
        }
        out.push_str(text.get(run..at).unwrap_or(""));
        run = at.saturating_add(1);
        out.push('\\');
        if octet >= b' ' {
            out.push(char::from(octet));
        } else {
            out.push_str("u00");
            hex::push(octet, b'a', out);
        }
    }
    out.push_str(text.get(run..).unwrap_or(""));
    out.push('"');
}

/// Appends a number, without the formatting machinery, which would weigh more than a browser's whole module.
pub(crate) fn write_integer(number: i64, out: &mut String) {
    if number < 0 {
        out.push('-');
    }
    let mut rest = number.unsigned_abs();
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = u8::try_from(rest % 10).unwrap_or(0).wrapping_add(b'0');
        first = place;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    for digit in digits.iter().skip(first) {
        out.push(char::from(*digit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Option<JsonError> {
        Object::parse(text.as_bytes()).err()
    }

    #[test]
    fn objects_are_read_as_they_stand() {
        let text = r#" {"a":"x\n\u00e4\ud83d\ude00\/","b":[1,-2.5e+3,true,null],"":{"c":""}} "#;
        let object = Object::parse(text.as_bytes()).unwrap();
        assert_eq!(object.get("a").unwrap().as_str(), Some("x\n\u{e4}\u{1f600}/"));
        let array = object.get("b").unwrap().as_array().unwrap();
        assert_eq!(array[1].as_number(), Some("-2.5e+3"));
        assert_eq!(array[2..], [Value::Bool(true), Value::Null]);
        assert_eq!(object.get("").unwrap().as_object().unwrap().len(), 1);
        assert!(object.get("c").is_none());
        assert_eq!(
            Object::parse(br#"{"k":"\ud840\udc00\udbff\udfff"}"#).unwrap().get("k").unwrap().as_str(),
            Some("\u{20000}\u{10ffff}")
        );
    }

    #[test]
    fn names_are_compared_after_unescaping() {
        assert_eq!(error(r#"{"alg":"ES256","\u0061lg":"none"}"#), Some(JsonError::DuplicateName));
        assert_eq!(error(r#"{"a":{"b":1,"b":2}}"#), Some(JsonError::DuplicateName));
        assert_eq!(error(r#"{"a":[{"b":1,"b":2}]}"#), Some(JsonError::DuplicateName));
        let mut many = String::from("{");
        for index in 0..40 {
            many.push_str(&alloc::format!("\"n{index}\":0,"));
        }
        assert_eq!(error(&alloc::format!("{many}\"x\":0}}")), None);
        assert_eq!(error(&alloc::format!("{many}\"n7\":0}}")), Some(JsonError::DuplicateName));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{",
            "}",
            "{}{}",
            "{}x",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{'a':1}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":1e}",
            "{\"a\":NaN}",
            "{\"a\":tru}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\udc00\"}",
            "{\"a\":\"\\ud800\\u0041\"}",
            "{\"a\":[1,]}",
            "{\"a\":\"",
            "\u{feff}{}",
            "{}\u{0}",
            "{\"a\":1 /* x */}",
            "{\"a\":\u{a0}1}",
            "{\"a\":-}",
            "{\"a\":\"\\",
        ] {
            assert_eq!(error(text), Some(JsonError::Syntax), "{text:?}");
        }
        for text in ["[]", "1", "\"{}\"", "null", "[{}]"] {
            assert_eq!(error(text), Some(JsonError::NotAnObject), "{text:?}");
        }
        assert_eq!(Object::parse(b"{\"a\":\"\xff\"}").err(), Some(JsonError::NotUtf8));
        // An overlong encoding and an encoded surrogate.
        assert_eq!(Object::parse(b"{\"\xc0\xaf\":1}").err(), Some(JsonError::NotUtf8));
        assert_eq!(Object::parse(b"{\"\xed\xa0\x80\":1}").err(), Some(JsonError::NotUtf8));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| alloc::format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(error(&nested(MAX_DEPTH - 1)), None);
        assert_eq!(error(&nested(60_000)), Some(JsonError::TooDeep));
        assert_eq!(error(&"{\"a\":".repeat(10_000)), Some(JsonError::TooDeep));
    }

    #[test]
    fn written_strings_are_read_back() {
        let text = "a\"b\\c\u{1}\n\u{1f}ä\u{1f600}";
        let mut json = String::from("{\"k\":");
        write_string(text, &mut json);
        json.push('}');
        assert_eq!(Object::parse(json.as_bytes()).unwrap().get("k").unwrap().as_str(), Some(text));
    }
}
