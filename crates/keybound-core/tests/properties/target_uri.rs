//! Target URIs: what RFC 3986 §6.2.2-6.2.3 calls equivalent is one target, nothing else is, and an
//! independent reader (the `url` crate, which follows the WHATWG's standard) agrees where both give a
//! text a meaning.

use keybound_core::target_uri::{TargetUri, UriPart, for_request};
use proptest::{collection::vec, prelude::*};
use url::Url;

use crate::cases;

/// A target by its parts, as nobody spells it otherwise.
#[derive(Clone, Debug, PartialEq)]
struct Target {
    https: bool,
    host: String,
    port: u16,
    segments: Vec<String>,
}

fn any_target() -> impl Strategy<Value = Target> {
    let host = prop_oneof![
        Just("rs.example".to_owned()),
        "[a-z]([a-z0-9-]{0,6}[a-z])?(\\.[a-z]([a-z0-9-]{0,6}[a-z])?){0,2}",
        Just("[2001:db8::1]".to_owned()),
        Just("192.0.2.7".to_owned()),
    ];
    // The other reader decodes such labels, and refuses those that it cannot.
    let host = host.prop_map(|host| host.replace("xn-", "xm-"));
    // Not a dot segment, of which nothing is left.
    let segment =
        prop_oneof![Just(String::new()), "[a-zA-Z0-9_~!$&'()*+,;=:@-]{1,6}", "[A-Za-z]{1,3}%2F[a-z]", "a%7Cb"];
    let port = prop_oneof![Just(443_u16), Just(80), Just(8443), any::<u16>()];
    (any::<bool>(), host, port, vec(segment, 1..5)).prop_map(|(https, host, port, segments)| Target {
        https,
        host,
        port,
        segments,
    })
}

impl Target {
    fn default_port(&self) -> u16 {
        if self.https { 443 } else { 80 }
    }

    /// The text without any freedom taken.
    fn plain(&self) -> String {
        self.spelled(&mut Style(0))
    }

    /// One of its spellings.
    fn spelled(&self, style: &mut Style) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let mut out = style.cased(scheme) + "://";
        if self.host.starts_with('[') {
            out += &style.cased(&self.host);
        } else {
            out += &style.encoded(&style.clone().cased(&self.host));
        }
        match (self.port == self.default_port(), style.bits(2)) {
            (true, 0) => {}
            (true, 1) => out.push(':'),
            (_, 2) => out += &format!(":0{}", self.port),
            _ => out += &format!(":{}", self.port),
        }
        let empty = self.segments.len() == 1 && self.segments[0].is_empty();
        if !(empty && style.bits(1) == 1) {
            for segment in &self.segments {
                out += ["", "", "", "", "", "/.", "/x/..", "/%2E"][style.bits(3) as usize];
                out.push('/');
                out += &style.encoded(segment);
            }
        }
        out + ["", "", "?", "#", "?q=/../%", "#f", "?a#b\u{e4}", "?\\"][style.bits(3) as usize]
    }
}

/// Decisions about a spelling, bit by bit; all zero takes no freedom.
#[derive(Clone)]
struct Style(u64);

impl Style {
    fn bits(&mut self, count: u32) -> u64 {
        let taken = self.0 & ((1 << count) - 1);
        if self.0 != 0 {
            self.0 = self.0.rotate_right(count).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ taken;
        }
        taken
    }

    fn cased(&mut self, text: &str) -> String {
        let cased = text.chars().map(|c| if self.bits(1) == 1 { c.to_ascii_uppercase() } else { c });
        cased.collect()
    }

    /// Some unreserved characters percent-encoded, with digits of either case (RFC 3986 §6.2.2.1-2).
    fn encoded(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            let unreserved = character.is_ascii_alphanumeric() || "-._~".contains(character);
            if character == '%' {
                let digits: String = rest.by_ref().take(2).collect();
                out += &format!("%{}", if self.bits(1) == 1 { digits.to_ascii_lowercase() } else { digits });
            } else if unreserved && self.bits(2) == 3 {
                out += &format!("%{:02x}", character as u32);
            } else {
                out.push(character);
            }
        }
        out
    }
}

fn parse(text: &str) -> TargetUri<'_> {
    TargetUri::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn equivalent_spellings_are_one_target(target in any_target(), styles in any::<(u64, u64)>()) {
        let (a, b) = (target.spelled(&mut Style(styles.0)), target.spelled(&mut Style(styles.1)));
        let (one, other) = (parse(&a), parse(&b));
        prop_assert_eq!(one.difference(&other), None, "{} and {}", a, b);
        prop_assert_eq!(one.canonical(), other.canonical());
        prop_assert_eq!(one.canonical(), parse(&target.plain()).canonical());
    }

    #[test]
    fn another_part_is_another_target(
        (a, b) in (any_target(), any_target()),
        part in 0..4_u8,
        styles in any::<(u64, u64)>(),
    ) {
        let mut other = a.clone();
        let (differs, name) = match part {
            0 => {
                // The other scheme with the same port: its default port is another one.
                other.https = !a.https;
                (true, UriPart::Scheme)
            }
            1 => {
                other.host.clone_from(&b.host);
                (a.host != b.host, UriPart::Host)
            }
            2 => {
                other.port = b.port;
                (a.port != b.port, UriPart::Port)
            }
            _ => {
                other.segments.clone_from(&b.segments);
                (a.segments != b.segments, UriPart::Path)
            }
        };
        let (a, b) = (a.spelled(&mut Style(styles.0)), other.spelled(&mut Style(styles.1)));
        prop_assert_eq!(parse(&a).difference(&parse(&b)), differs.then_some(name), "{} and {}", a, b);
        prop_assert_eq!(parse(&b).difference(&parse(&a)), differs.then_some(name));
        prop_assert_eq!(parse(&a).canonical() == parse(&b).canonical(), !differs);
    }

    #[test]
    fn what_a_client_writes_is_stable_and_read_as_the_same(target in any_target(), style in any::<u64>()) {
        let target = Target { https: true, ..target };
        let url = target.spelled(&mut Style(style));
        let written = for_request(&url).unwrap().wire_form();
        prop_assert_eq!(parse(&written).difference(&parse(&url)), None);
        prop_assert_eq!(for_request(&written).unwrap().wire_form(), written.clone());
        prop_assert!(!written.contains(['?', '#']));
        // Userinfo is the client's, and never leaves it.
        let with_user = url.replacen("://", "://user:pass%40word@", 1);
        prop_assert_eq!(for_request(&with_user).unwrap().wire_form(), written);
        prop_assert!(TargetUri::parse(&with_user).is_err());
    }

    #[test]
    fn an_independent_reader_finds_the_same_parts(target in any_target(), style in any::<u64>()) {
        let text = target.spelled(&mut Style(style));
        let (own, other) = (parse(&text), Url::parse(&text).unwrap());
        prop_assert_eq!(own.is_https(), other.scheme() == "https");
        // It decodes hosts as we do in the normal form, not in the origin.
        let normal = parse(other.as_str()).origin();
        prop_assert_eq!(&other.origin().ascii_serialization(), &normal);
        prop_assert_eq!(own.difference(&parse(other.as_str())), None, "{} and {}", text, other);
    }

    #[test]
    fn two_texts_are_the_same_to_both_readers_or_to_neither(
        (a, b) in (any_target(), any_target()),
        near in any::<bool>(),
        styles in any::<(u64, u64)>(),
    ) {
        let b = if near { Target { segments: b.segments, ..a.clone() } } else { b };
        let (a, b) = (a.spelled(&mut Style(styles.0)), b.spelled(&mut Style(styles.1)));
        prop_assert_eq!(parse(&a).difference(&parse(&b)).is_none(), whatwg(&a) == whatwg(&b), "{} and {}", a, b);
    }

    #[test]
    fn anything_is_read_or_refused_and_what_is_read_has_one_normal_form(
        text in "(https?://)?\\PC{0,30}|https://[a-z%/.:@?#\\[\\]\\\\0-9]{0,30}",
    ) {
        if let Ok(uri) = TargetUri::parse(&text) {
            let written = uri.wire_form();
            prop_assert_eq!(parse(&written).canonical(), uri.canonical());
            prop_assert_eq!(parse(&written).wire_form(), written.clone());
            prop_assert_eq!(uri.difference(&parse(&written)), None);
        }
    }
}

/// Origin and path of the other reader. It leaves percent-encodings in paths as they are, where RFC 3986
/// §6.2.2 decodes those of unreserved characters and writes the others' digits in upper case.
fn whatwg(text: &str) -> (String, String) {
    let url = Url::parse(text).unwrap();
    let mut path = String::new();
    let mut rest = url.path();
    while let Some((before, after)) = rest.split_once('%') {
        path += before;
        let (digits, after) = after.split_at(2);
        let character = char::from(u8::from_str_radix(digits, 16).unwrap());
        if character.is_ascii_alphanumeric() || "-._~".contains(character) {
            path.push(character);
        } else {
            path += &format!("%{}", digits.to_ascii_uppercase());
        }
        rest = after;
    }
    (url.origin().ascii_serialization(), path + rest)
}

/// Texts that the other reader takes and ours refuses: what a proof has of them comes from no client that
/// writes `htu` as RFC 9449 §4.2 says, and guessing what was meant gives one target several spellings.
#[test]
fn what_only_the_other_reader_takes_is_on_this_list() {
    for text in [
        // White space and controls, which it drops or encodes.
        " https://rs.example/",
        "https://rs.example/a b",
        "https://rs.example/a\tb",
        "https://rs.exa\nmple/",
        // Slashes that are none, or too few or many.
        "https:rs.example/",
        "https:/rs.example/",
        "https:///rs.example/",
        "https:\\\\rs.example/",
        "https://rs.example/a\\b",
        // Userinfo.
        "https://user@rs.example/",
        // Unicode, which it encodes or maps.
        "https://\u{e4}rs.example/",
        "https://rs.example/\u{e4}",
        // A percent sign without its digits.
        "https://rs.example/%zz",
    ] {
        assert!(Url::parse(text).is_ok(), "{text:?}");
        assert!(TargetUri::parse(text).is_err(), "{text:?}");
    }
}

/// Both take these, and they are another target to each: hosts that the WHATWG's standard reads as IPv4
/// addresses are plain names to RFC 3986 §3.2.2, and IPv6 addresses are compared as they are written.
#[test]
fn what_the_other_reader_takes_for_the_same_target_and_ours_does_not_is_on_this_list() {
    for (a, b) in [
        ("https://127.0.0.1/", "https://127.1/"),
        ("https://127.0.0.1/", "https://0x7f.0.0.1/"),
        ("https://127.0.0.1/", "https://2130706433/"),
        ("https://[2001:db8::1]/", "https://[2001:db8:0:0:0:0:0:1]/"),
        ("https://rs.example/", "https://rs%2eexample./"),
    ] {
        let same = Url::parse(a).unwrap().origin() == Url::parse(b).unwrap().origin();
        assert_eq!(same, !b.ends_with("./"), "{a} and {b}");
        assert_eq!(parse(a).difference(&parse(b)), Some(UriPart::Host), "{a} and {b}");
    }
}
