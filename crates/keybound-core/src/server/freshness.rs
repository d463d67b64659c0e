//! How long a document of an issuer's serves: what its answer says (RFC 9111), within bounds of our own.

/// What an answer says of its age. Fields that it does not have are `None`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseFields<'a> {
    /// `Cache-Control`; several of them joined with commas (RFC 9110 §5.3).
    pub cache_control: Option<&'a str>,
    /// `Age`.
    pub age: Option<&'a str>,
    /// `Expires` in seconds since the epoch; 0 if it is no date (RFC 9111 §5.3).
    pub expires: Option<i64>,
    /// `Date` in seconds since the epoch, or the verifier's clock.
    pub date: i64,
}

/// For how many seconds a document serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Seconds after which it is fetched anew.
    pub fresh: u32,
    /// Seconds after that for which it still serves, while it cannot be fetched.
    pub stale: u32,
}

/// The largest number that is told apart (RFC 9111 §1.2.2).
const MAX_SECONDS: u32 = 1 << 31;

/// Where an answer says nothing, and how far what it says is followed.
struct Bounds {
    default: u32,
    least: u32,
    most: u32,
}

/// A minute is the least, so that requests are not a load on an issuer whose keys must not be kept at
/// all (Keycloak says `no-cache`); a day the most, so that a key that was withdrawn is not used for the
/// month that some issuers say. Keys that are new are found earlier, by their `kid`.
const KEYS: Bounds = Bounds { default: 600, least: 60, most: 86_400 };

/// Metadata says where keys are; an hour is the most, so that keys that moved are found.
const METADATA: Bounds = Bounds { default: 3600, least: 600, most: 3600 };

/// The bound on serving keys that are not fresh, and the one for issuers that would have that not at
/// all: as long as a verified token is remembered. Without it the moment's outage of an issuer would be
/// that of every API, at the first request after each minute.
const STALE: u32 = 3600;
const STALE_AT_LEAST: u32 = 300;

impl Freshness {
    /// How long a key set serves.
    #[must_use]
    pub fn of_keys(fields: &ResponseFields<'_>) -> Self {
        let control = Control::read(fields.cache_control.unwrap_or(""));
        let stale = match control.stale_if_error {
            _ if control.must_revalidate => STALE_AT_LEAST,
            // RFC 5861 §4.
            Some(seconds) => seconds.clamp(STALE_AT_LEAST, STALE),
            None => STALE,
        };
        Self { fresh: fresh(&control, fields, &KEYS), stale }
    }

    /// How long an issuer's metadata serves. It never serves stale: where it cannot be had, keys can not.
    #[must_use]
    pub fn of_metadata(fields: &ResponseFields<'_>) -> Self {
        let control = Control::read(fields.cache_control.unwrap_or(""));
        Self { fresh: fresh(&control, fields, &METADATA), stale: 0 }
    }
}

/// RFC 9111 §4.2: the freshness lifetime less the age that the answer came with.
fn fresh(control: &Control, fields: &ResponseFields<'_>, bounds: &Bounds) -> u32 {
    let lifetime = control.lifetime.or_else(|| {
        let seconds = fields.expires?.saturating_sub(fields.date);
        Some(u32::try_from(seconds.max(0)).unwrap_or(MAX_SECONDS))
    });
    // An age that is no number is ignored (RFC 9111 §5.1).
    let age = fields.age.and_then(delta_seconds).unwrap_or(0);
    match lifetime {
        None => bounds.default,
        Some(lifetime) => lifetime.saturating_sub(age).clamp(bounds.least, bounds.most),
    }
}

/// The directives of `Cache-Control` that matter here (RFC 9111 §5.2.2).
#[derive(Debug, Default)]
struct Control {
    lifetime: Option<u32>,
    stale_if_error: Option<u32>,
    must_revalidate: bool,
}

impl Control {
    fn read(field: &str) -> Self {
        let (mut max_age, mut s_maxage, mut control) = (None, None, Self::default());
        for (name, value) in directives(field) {
            let is = |directive: &str| name.eq_ignore_ascii_case(directive);
            if is("no-store") || is("no-cache") {
                control.must_revalidate = true;
                control.lifetime = Some(0);
            } else if is("must-revalidate") || is("proxy-revalidate") {
                control.must_revalidate = true;
            } else if is("max-age") {
                shorten(&mut max_age, value);
            } else if is("s-maxage") {
                shorten(&mut s_maxage, value);
            } else if is("stale-if-error") {
                shorten(&mut control.stale_if_error, value);
            }
        }
        // One verifier keeps keys for all of its clients, as a shared cache does (RFC 9111 §5.2.2.10).
        control.lifetime = control.lifetime.or(s_maxage).or(max_age);
        control
    }
}

/// Of a directive that stands there several times the shortest counts; a value that is no number counts
/// as none at all (RFC 9111 §4.2.1).
fn shorten(seconds: &mut Option<u32>, value: &str) {
    let given = delta_seconds(value).unwrap_or(0);
    *seconds = Some(seconds.map_or(given, |known| known.min(given)));
}

fn delta_seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().map_or(MAX_SECONDS, |seconds: u32| seconds.min(MAX_SECONDS)))
}

/// Names and values, which may be quoted, and may then have commas inside.
fn directives(field: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut quoted = false;
    let between = move |character: char| {
        quoted ^= character == '"';
        character == ',' && !quoted
    };
    field.split(between).map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        (name.trim(), value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cache_control: &str) -> (u32, u32) {
        let fields = ResponseFields { cache_control: Some(cache_control), ..ResponseFields::default() };
        let Freshness { fresh, stale } = Freshness::of_keys(&fields);
        (fresh, stale)
    }

    #[test]
    fn an_answer_that_says_nothing_has_the_default() {
        let nothing = Freshness::of_keys(&ResponseFields::default());
        assert_eq!(nothing, Freshness { fresh: 600, stale: 3600 });
        assert_eq!(of(""), (600, 3600));
        assert_eq!(of("public, no-transform, immutable"), (600, 3600));
        assert_eq!(Freshness::of_metadata(&ResponseFields::default()), Freshness { fresh: 3600, stale: 0 });
    }

    #[test]
    fn what_is_said_is_followed_within_bounds() {
        assert_eq!(of("max-age=900").0, 900);
        assert_eq!(of("private, MAX-AGE = 900 ,x").0, 900);
        assert_eq!(of("max-age=\"900\"").0, 900);
        assert_eq!(of("max-age=15").0, 60);
        assert_eq!(of("max-age=3293198").0, 86_400);
        assert_eq!(of("max-age=99999999999999999999").0, 86_400);
        assert_eq!(of("max-age=900, s-maxage=120").0, 120);
        assert_eq!(of("max-age=120, s-maxage=900").0, 900);
    }

    #[test]
    fn what_is_said_twice_or_oddly_counts_for_little() {
        assert_eq!(of("max-age=900, max-age=120").0, 120);
        for odd in ["max-age=-1", "max-age=1e9", "max-age=", "max-age", "max-age=900s"] {
            assert_eq!(of(odd).0, 60, "{odd}");
        }
        assert_eq!(of("extension=\"a, max-age=900\"").0, 600, "inside a quoted string");
        assert_eq!(of("=,,;\"").0, 600);
    }

    #[test]
    fn keys_that_must_not_be_kept_are_fetched_each_minute_and_serve_stale_for_five() {
        for control in ["no-store", "No-Cache", "no-cache=\"Set-Cookie, max-age=900\"", "max-age=900, no-store"] {
            assert_eq!(of(control), (60, 300), "{control}");
        }
        assert_eq!(of("max-age=900, must-revalidate"), (900, 300));
        assert_eq!(of("max-age=900, proxy-revalidate, stale-if-error=3000"), (900, 300));
        assert_eq!(of("max-age=15, stale-while-revalidate=15, stale-if-error=15"), (60, 300));
        assert_eq!(of("stale-if-error=1800"), (600, 1800));
        assert_eq!(of("stale-if-error=86400"), (600, 3600));
    }

    #[test]
    fn time_in_other_caches_counts() {
        let aged = |age| {
            let fields =
                ResponseFields { cache_control: Some("max-age=900"), age: Some(age), ..ResponseFields::default() };
            Freshness::of_keys(&fields).fresh
        };
        assert_eq!(aged("300"), 600);
        assert_eq!(aged(" 0 "), 900);
        assert_eq!(aged("900"), 60);
        assert_eq!(aged("99999999999"), 60);
        for odd in ["", "-5", "soon", "1, 2"] {
            assert_eq!(aged(odd), 900, "{odd}");
        }
    }

    #[test]
    fn expires_serves_where_cache_control_says_nothing_of_age() {
        let date = 1_800_000_000;
        let expiring = |cache_control, expires| {
            let fields = ResponseFields { cache_control, age: None, expires: Some(expires), date };
            Freshness::of_keys(&fields).fresh
        };
        assert_eq!(expiring(None, 1_800_001_200), 1200);
        assert_eq!(expiring(Some("public"), 1_800_001_200), 1200);
        assert_eq!(expiring(Some("max-age=120"), 1_800_001_200), 120);
        assert_eq!(expiring(None, 0), 60);
        assert_eq!(expiring(None, i64::MAX), 86_400);
        assert_eq!(expiring(None, i64::MIN), 60);
    }

    #[test]
    fn metadata_is_looked_at_again_after_ten_minutes_to_an_hour() {
        let of = |control| {
            Freshness::of_metadata(&ResponseFields { cache_control: Some(control), ..ResponseFields::default() }).fresh
        };
        assert_eq!((of("max-age=15"), of("max-age=1200"), of("max-age=86400")), (600, 1200, 3600));
    }
}
