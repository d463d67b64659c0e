//! The JSON reader: what it takes, serde_json takes as well and reads the same; what it refuses of
//! that has a name that stands twice, is nested too deep, or is no object.
#![no_main]

use keybound_core::json::{JsonError, MAX_DEPTH, Object, Value, write_string};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Other;

fuzz_target!(|data: &[u8]| {
    let other = serde_json::from_slice::<Other>(data);
    match Object::parse(data) {
        Ok(object) => {
            let other = other.expect("serde_json reads it as well");
            assert!(same(&Value::Object(object.clone()), &other));
            let written = write(&Value::Object(object.clone()));
            assert_eq!(Object::parse(written.as_bytes()).as_ref(), Ok(&object));
        }
        Err(JsonError::NotUtf8) => assert!(core::str::from_utf8(data).is_err()),
        Err(JsonError::NotAnObject) => assert!(other.is_ok_and(|other| !other.is_object())),
        // Where serde_json stops at its own depth of 128 it has an error too.
        Err(JsonError::TooDeep) => assert!(depth_of(data) > MAX_DEPTH),
        // serde_json keeps the last of two members, so it sees fewer than the text has.
        Err(JsonError::DuplicateName) => assert!(data.windows(2).any(|pair| pair.contains(&b','))),
        // Text that serde_json takes is JSON.
        Err(_) => assert!(other.is_err(), "serde_json takes it"),
    }
    // No beginning of a text is a text.
    if let Some((_, shorter)) = data.split_last()
        && data.last() == Some(&b'}')
        && Object::parse(data).is_ok()
    {
        assert!(Object::parse(shorter).is_err());
    }
});

fn same(value: &Value<'_>, other: &Other) -> bool {
    match (value, other) {
        (Value::Null, Other::Null) => true,
        (Value::Bool(value), Other::Bool(other)) => value == other,
        // Both keep the text, of which serde_json writes some parts its own way: 1E5 as 1e+5.
        (Value::Number(value), Other::Number(other)) => {
            value.parse::<f64>().ok().map(f64::to_bits) == other.to_string().parse::<f64>().ok().map(f64::to_bits)
        }
        (Value::String(value), Other::String(other)) => value == other,
        (Value::Array(values), Other::Array(others)) => {
            values.len() == others.len() && values.iter().zip(others).all(|(value, other)| same(value, other))
        }
        (Value::Object(object), Other::Object(others)) => {
            object.len() == others.len()
                && object.iter().all(|(name, value)| others.get(name).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}

fn write(value: &Value<'_>) -> String {
    let mut out = String::new();
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(text) => out.push_str(text),
        Value::String(text) => write_string(text, &mut out),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(write).collect();
            out = format!("[{}]", values.join(" , "));
        }
        Value::Object(object) => {
            let members = object.iter().map(|(name, value)| {
                let mut member = String::new();
                write_string(name, &mut member);
                format!("{member}:\t{}", write(value))
            });
            out = format!("{{{}}}", members.collect::<Vec<_>>().join("\n,"));
        }
    }
    out
}

/// How deep brackets nest outside strings: an upper bound of the depth of a text.
fn depth_of(data: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for octet in data {
        if in_string {
            in_string = escaped || *octet != b'"';
            escaped = !escaped && *octet == b'\\';
            continue;
        }
        match octet {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
