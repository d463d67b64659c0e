//! Challenges: what is written is read, also beside others, and reading never fails.

use keybound_core::challenge::{ChallengeWriter, parse};
use proptest::{collection::vec, prelude::*};

use crate::cases;

/// A challenge, and how its parameters are spelled.
type Written = (String, Vec<(String, String)>);

const TOKEN: &str = "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}";

fn any_scheme() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("DPoP".to_owned()),
        Just("bearer".to_owned()),
        Just("Basic".to_owned()),
        "[A-Za-z][A-Za-z0-9-]{0,6}"
    ]
}

/// Names differ by their number.
fn any_parameters() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((TOKEN, "[ -~]{0,12}"), 0..5).prop_map(|parameters| {
        let named = |(index, (name, value)): (usize, (String, String))| (format!("{name}{index}"), value);
        parameters.into_iter().enumerate().map(named).collect()
    })
}

fn any_challenges() -> impl Strategy<Value = Vec<Written>> {
    vec((any_scheme(), any_parameters()), 0..5)
}

fn write((scheme, parameters): &Written) -> String {
    let writer = ChallengeWriter::new(scheme);
    parameters.iter().fold(writer, |writer, (name, value)| writer.param(name, value)).finish()
}

/// As another server might: tokens where they will do, blanks where they may be, every character escaped.
fn write_otherwise((scheme, parameters): &Written, style: u64) -> String {
    let is_token = |value: &str| !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_alphanumeric());
    let spell = |(index, (name, value)): (usize, &(String, String))| match (style >> (index * 2)) & 3 {
        0 if is_token(value) => format!("{name}={value}"),
        1 => format!("{name} = \"{}\"", value.chars().flat_map(|character| ['\\', character]).collect::<String>()),
        2 => format!("{}\t=\"{}\"", name.to_ascii_uppercase(), value.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
    };
    let separator = [", ", ",", " , ", ",,\t"][(style >> 20) as usize & 3];
    let parameters: Vec<String> = parameters.iter().enumerate().map(spell).collect();
    format!("{scheme}  {}", parameters.join(separator))
}

fn is_read(field: &str, written: &[Written]) -> Result<(), TestCaseError> {
    let read = parse(field);
    let schemes: Vec<&str> = read.iter().map(|challenge| challenge.scheme).collect();
    let expected: Vec<&str> = written.iter().map(|(scheme, _)| scheme.as_str()).collect();
    prop_assert_eq!(schemes, expected, "{}", field);
    for (challenge, (scheme, parameters)) in read.iter().zip(written) {
        prop_assert!(challenge.is_scheme(&scheme.to_ascii_uppercase()));
        for (name, value) in parameters {
            prop_assert_eq!(challenge.param(name), Some(value.as_str()), "{} in {}", name, field);
            prop_assert_eq!(challenge.param(&name.to_ascii_uppercase()), Some(value.as_str()));
        }
        prop_assert!(challenge.param("no such name").is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn what_is_written_is_read_one_field_or_several_joined(challenges in any_challenges()) {
        let fields: Vec<String> = challenges.iter().map(write).collect();
        is_read(&fields.join(", "), &challenges)?;
        is_read(&fields.join(","), &challenges)?;
    }

    #[test]
    fn other_spellings_of_the_same_are_read(challenges in any_challenges(), style in any::<u64>()) {
        let fields: Vec<String> = challenges.iter().map(|challenge| write_otherwise(challenge, style)).collect();
        is_read(&fields.join(", "), &challenges)?;
    }

    #[test]
    fn values_lose_only_what_no_field_may_hold(value in "\\PC{0,20}|.{0,20}|[\"\\\\,= ]{0,9}") {
        let field = ChallengeWriter::new("DPoP").param("error", &value).param("algs", "ES256").finish();
        prop_assert!(field.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
        let kept: String = value.chars().filter(|character| (' '..='~').contains(character)).collect();
        let parameters = vec![("error".to_owned(), kept), ("algs".to_owned(), "ES256".to_owned())];
        is_read(&field, &[("DPoP".to_owned(), parameters)])?;
    }

    #[test]
    fn what_cannot_be_read_hides_no_challenge_before_it(
        challenges in any_challenges(),
        garbage in "\\PC{0,30}|[\"\\\\,= a]{0,20}",
    ) {
        let field = challenges.iter().map(write).collect::<Vec<_>>().join(", ");
        let read = parse(&field).len();
        let both = format!("{field}, {garbage}");
        let after = parse(&both);
        prop_assert!(after.len() >= read);
        for (challenge, (scheme, parameters)) in after.iter().zip(&challenges) {
            prop_assert_eq!(challenge.scheme, scheme);
            for (name, value) in parameters {
                prop_assert_eq!(challenge.param(name), Some(value.as_str()));
            }
        }
    }

    #[test]
    fn anything_is_read_without_a_fault(field in "\\PC{0,80}|.{0,80}|[A-Za-z=,\" \\\\]{0,60}") {
        for challenge in parse(&field) {
            prop_assert!(!challenge.scheme.is_empty() && field.contains(challenge.scheme));
        }
    }
}
