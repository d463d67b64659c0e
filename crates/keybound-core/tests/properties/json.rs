//! The JSON reader against serde_json, which reads a text into a tree that keeps every member. What is
//! refused beyond that: names that stand twice, and depth.

use std::fmt;

use keybound_core::json::{JsonError, MAX_DEPTH, Object, Value, write_string};
use proptest::{collection::vec, prelude::*};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::cases;

/// A document that keeps what serde_json's own value would merge.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    Members(Vec<(String, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        match members.as_slice() {
            // So it gives numbers where somebody else in the build asks it for all of their digits.
            [(name, Tree::Text(digits))] if name == "$serde_json::private::Number" => {
                let value = digits.parse().ok().filter(|value: &f64| value.is_finite());
                value.map(Tree::Number).ok_or_else(|| serde::de::Error::custom("number out of range"))
            }
            _ => Ok(Tree::Members(members)),
        }
    }
}

impl Tree {
    /// How many objects and arrays are around the innermost value.
    fn depth(&self) -> usize {
        match self {
            Self::List(values) => values.iter().map(|value| value.depth() + 1).max().unwrap_or(0),
            Self::Members(members) => members.iter().map(|(_, value)| value.depth() + 1).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn has_duplicates(&self) -> bool {
        match self {
            Self::List(values) => values.iter().any(Self::has_duplicates),
            Self::Members(members) => {
                let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                names.windows(2).any(|pair| pair[0] == pair[1])
                    || members.iter().any(|(_, value)| value.has_duplicates())
            }
            _ => false,
        }
    }

    /// The text, its strings escaped and its blanks set as `style` says, which is used up bit by bit.
    fn write(&self, style: &mut u64, out: &mut String) {
        blank(style, out);
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(value) => out.push_str(&number(*value, style)),
            Self::Text(text) => string(text, style, out),
            Self::List(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    value.write(style, out);
                }
                blank(style, out);
                out.push(']');
            }
            Self::Members(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    blank(style, out);
                    string(name, style, out);
                    blank(style, out);
                    out.push(':');
                    value.write(style, out);
                }
                blank(style, out);
                out.push('}');
            }
        }
        blank(style, out);
    }

    fn text(&self, mut style: u64) -> String {
        let mut out = String::new();
        self.write(&mut style, &mut out);
        out
    }
}

fn bits(style: &mut u64, count: u32) -> u64 {
    let taken = *style & ((1 << count) - 1);
    *style = style.rotate_right(count).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ taken;
    taken
}

fn blank(style: &mut u64, out: &mut String) {
    out.push_str(["", "", "", " ", "\n", "\t", "\r\n", "  "][bits(style, 3) as usize]);
}

fn number(value: f64, style: &mut u64) -> String {
    match bits(style, 2) {
        0 => format!("{value:e}"),
        1 => format!("{value:E}"),
        _ => value.to_string(),
    }
}

fn string(text: &str, style: &mut u64, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let must = matches!(character, '"' | '\\' | '\0'..='\u{1f}');
        let short = match character {
            '"' | '\\' | '/' => Some(character),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            _ => None,
        };
        match (short, must || bits(style, 3) == 0) {
            (_, false) => out.push(character),
            (Some(short), _) if bits(style, 1) == 0 => out.extend(['\\', short]),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let escape = if bits(style, 1) == 0 { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") };
                    out.push_str(&escape);
                }
            }
        }
    }
    out.push('"');
}

/// serde_json's numbers are not the nearest ones, but near.
fn is_near(value: f64, other: f64) -> bool {
    (value - other).abs() <= value.abs() * 1e-14
}

fn matches_tree(value: &Value<'_>, tree: &Tree) -> bool {
    match (value, tree) {
        (Value::Null, Tree::Null) => true,
        (Value::Bool(value), Tree::Bool(other)) => value == other,
        (Value::Number(text), Tree::Number(other)) => text.parse().is_ok_and(|value| is_near(value, *other)),
        (Value::String(text), Tree::Text(other)) => text == other,
        (Value::Array(values), Tree::List(others)) => {
            values.len() == others.len() && values.iter().zip(others).all(|(value, other)| matches_tree(value, other))
        }
        (Value::Object(object), Tree::Members(others)) => {
            object.len() == others.len()
                && object.iter().zip(others).all(|((name, value), (other_name, other))| {
                    name == other_name && matches_tree(value, other) && object.get(name) == Some(value)
                })
        }
        _ => false,
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("jti".to_owned()),
        "[a-c]{0,2}",
        ".{0,6}",
        vec(any::<char>(), 0..4).prop_map(|characters| characters.into_iter().collect::<String>()),
    ]
}

fn any_leaf() -> impl Strategy<Value = Tree> {
    prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        (-1_000_000_i64..1_000_000).prop_map(|value| Tree::Number(value as f64)),
        (-1e9..1e9).prop_map(Tree::Number),
        any_text().prop_map(Tree::Text),
    ]
}

fn any_tree() -> impl Strategy<Value = Tree> {
    any_leaf().prop_recursive(4, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Tree::List),
            vec((any_text(), inner), 0..4).prop_map(Tree::Members),
        ]
    })
}

/// Objects whose names differ, at every depth. Of many members duplicates are looked for in another way.
fn any_object() -> impl Strategy<Value = Tree> {
    let deep = vec((any_text(), any_tree()), 0..6);
    let wide = vec((any_text(), any_leaf()), 17..40);
    prop_oneof![3 => deep, 1 => wide].prop_map(|members| {
        let mut tree = Tree::Members(members);
        drop_duplicates(&mut tree);
        tree
    })
}

fn drop_duplicates(tree: &mut Tree) {
    match tree {
        Tree::List(values) => values.iter_mut().for_each(drop_duplicates),
        Tree::Members(members) => {
            let mut seen = Vec::new();
            members.retain(|(name, _)| {
                let new = !seen.contains(name);
                seen.push(name.clone());
                new
            });
            members.iter_mut().for_each(|(_, value)| drop_duplicates(value));
        }
        _ => {}
    }
}

/// What the reader has to say, by serde_json's tree.
fn expected(octets: &[u8]) -> Option<Result<Tree, JsonError>> {
    if std::str::from_utf8(octets).is_err() {
        return Some(Err(JsonError::NotUtf8));
    }
    match serde_json::from_slice::<Tree>(octets) {
        Ok(tree) if tree.depth() > MAX_DEPTH => Some(Err(JsonError::TooDeep)),
        Ok(tree) if tree.has_duplicates() => Some(Err(JsonError::DuplicateName)),
        Ok(tree @ Tree::Members(_)) => Some(Ok(tree)),
        Ok(_) => Some(Err(JsonError::NotAnObject)),
        // It reads numbers as f64, and its own depth is bounded: no answer to what is asked here.
        Err(error) if error.to_string().contains("out of range") || error.to_string().contains("recursion") => None,
        Err(_) => Some(Err(JsonError::Syntax)),
    }
}

/// A text with two faults may be refused for either.
fn agree(octets: &[u8]) -> Result<(), TestCaseError> {
    let read = Object::parse(octets);
    match (expected(octets), read) {
        (Some(Ok(tree)), Ok(object)) => prop_assert!(matches_tree(&Value::Object(object), &tree)),
        (Some(Err(_)), Err(_)) | (None, _) => {}
        (expected, read) => prop_assert!(false, "expected {expected:?}, read {read:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn documents_are_read_as_serde_json_reads_them(tree in any_object(), style in any::<u64>()) {
        let text = tree.text(style);
        let object = Object::parse(text.as_bytes());
        prop_assert!(object.is_ok(), "{}", text);
        let object = Value::Object(object.unwrap());
        prop_assert!(matches_tree(&object, &tree), "{}", text);
        prop_assert!(matches_tree(&object, &serde_json::from_str(&text).unwrap()), "{}", text);
    }

    #[test]
    fn every_truncation_is_refused(tree in any_object(), style in any::<u64>()) {
        let text = tree.text(style);
        let whole = text.trim_end().len();
        for end in 0..whole {
            prop_assert!(Object::parse(&text.as_bytes()[..end]).is_err(), "{}", &text[..text.floor_char_boundary(end)]);
        }
        for after in ["}", "{}", ",", "null", "\0", "\u{feff}"] {
            let longer = text.clone() + after;
            prop_assert!(Object::parse(longer.as_bytes()).is_err());
        }
        let marked = String::from('\u{feff}') + &text;
        prop_assert!(Object::parse(marked.as_bytes()).is_err());
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_however_it_is_escaped(
        tree in any_object(),
        again in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        around in 0_usize..3,
        style in any::<u64>(),
    ) {
        let Tree::Members(mut members) = tree else { unreachable!() };
        if members.is_empty() {
            members.push(("jti".to_owned(), Tree::Null));
        }
        let (name, _) = members[again.index(members.len())].clone();
        members.insert(place.index(members.len() + 1), (name, Tree::Null));
        let mut tree = Tree::Members(members);
        for _ in 0..around {
            tree = Tree::Members(vec![("a".to_owned(), Tree::List(vec![tree]))]);
        }
        let text = tree.text(style);
        prop_assert_eq!(Object::parse(text.as_bytes()).err(), Some(JsonError::DuplicateName), "{}", text);
    }

    #[test]
    fn depth_is_bounded_exactly(lists in 0_usize..100, style in any::<u64>()) {
        let mut tree = Tree::Null;
        for _ in 0..lists {
            tree = Tree::List(vec![tree]);
        }
        let text = Tree::Members(vec![("a".to_owned(), tree)]).text(style);
        let expected = if lists + 1 > MAX_DEPTH { Some(JsonError::TooDeep) } else { None };
        prop_assert_eq!(Object::parse(text.as_bytes()).err(), expected);
    }

    #[test]
    fn strings_are_read_as_they_were_written(text in any_text()) {
        let mut json = String::from("{\"a\":");
        write_string(&text, &mut json);
        json.push('}');
        let object = Object::parse(json.as_bytes()).unwrap();
        prop_assert_eq!(object.get("a").and_then(Value::as_str), Some(text.as_str()));
        let other: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(other["a"].as_str(), Some(text.as_str()));
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn changed_documents_are_read_or_refused_as_serde_json_does(
        tree in any_object(),
        style in any::<u64>(),
        changes in vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), select_octet()], 0..3_u8), 1..4),
    ) {
        let mut octets = tree.text(style).into_bytes();
        for (at, octet, change) in changes {
            let at = at.index(octets.len().max(1));
            match change {
                0 if at < octets.len() => octets[at] = octet,
                1 if at < octets.len() => drop(octets.remove(at)),
                _ => octets.insert(at, octet),
            }
        }
        agree(&octets)?;
    }

    #[test]
    fn numbers_are_those_of_rfc_8259(text in "-?[0-9]{0,3}\\.?[0-9]{0,3}[eE]?[+-]?[0-9]{0,2}") {
        agree(format!("{{\"n\":{text}}}").as_bytes())?;
    }

    #[test]
    fn escapes_are_those_of_rfc_8259(
        text in r#"(\\["\\/bfnrtuU]|\\u[dD][89abcdefABCD][0-9a-f]{2}|\\u[0-9a-fA-F]{0,4}|[a-z]){0,5}"#,
    ) {
        agree(format!("{{\"s\":\"{text}\"}}").as_bytes())?;
    }

    #[test]
    fn surrogates_come_in_pairs(
        first in prop::sample::select(vec!["d7ff", "d800", "dbff", "dc00", "dfff", "e000"]),
        second in prop::sample::select(vec!["d7ff", "d800", "dbff", "DC00", "dfff", "e000"]),
        between in "(|[a-z]|\\\\n)",
    ) {
        agree(format!(r#"{{"s":"\u{first}{between}\u{second}"}}"#).as_bytes())?;
    }
}

/// Octets that mean something.
fn select_octet() -> impl Strategy<Value = u8> {
    prop::sample::select(b"{}[]\",:\\ue+-.0123456789tfn \n\t\x00\x1f\x7f\x80\xff".to_vec())
}
