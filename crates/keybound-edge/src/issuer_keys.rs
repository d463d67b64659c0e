//! Issuers' published keys: found by discovery, fetched once for all who wait, refreshed at a bounded rate.
//!
//! Requests that wait for another's fetch look again by timers of their own, since on workers one request
//! must not wake another; and a fetch that was cancelled together with its request is taken over.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::cell::RefCell;

use keybound_core::{
    json::{Object, Value},
    server::{freshness::Freshness, jwks::Jwks},
    time::Timestamp,
};

use crate::{
    config::is_secure,
    surroundings::{Documents, Unavailable},
};

/// Seconds between two fetches while there are keys: for an unknown `kid`, or after a failure.
const PAUSE_SECONDS: u64 = 30;
/// Seconds between two fetches while there are none.
const RETRY_SECONDS: u64 = 1;
/// Milliseconds between two looks at a fetch of another request, after how many of them it is taken over,
/// and how many there are in all.
const LOOK_MILLISECONDS: u32 = 20;
const LOOKS: u32 = 100;
const MOST_LOOKS: u32 = 500;

/// The schedule of one issuer's keys. The keys themselves are the engine's.
#[derive(Debug, Default)]
struct State {
    given: bool,
    fetched: Option<Fetched>,
    tried_at: Option<i64>,
    /// Fetches are numbered, so that one that ends late does not undo a later one.
    flight: Option<u32>,
    flights: u32,
    newest: u32,
}

/// When keys were fetched, and how long they serve: as their answer said, within bounds.
#[derive(Clone, Copy, Debug)]
struct Fetched {
    at: i64,
    freshness: Freshness,
}

impl Fetched {
    /// A clock that was set back says nothing about their age.
    const fn age(self, now: i64) -> u64 {
        now.abs_diff(self.at)
    }

    fn is_fresh(self, now: i64) -> bool {
        self.age(now) <= u64::from(self.freshness.fresh)
    }

    fn is_too_old(self, now: i64) -> bool {
        self.age(now) > u64::from(self.freshness.fresh).saturating_add(u64::from(self.freshness.stale))
    }
}

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    issuer: String,
    state: RefCell<State>,
}

/// What is to be done about an issuer's keys before they are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Fine,
    /// They should be fetched anew; the old ones serve where that fails.
    Old,
    /// The old ones serve no more.
    TooOld,
}

impl IssuerKeys {
    pub(crate) fn new(issuer: &str) -> Self {
        Self { issuer: issuer.to_owned(), state: RefCell::default() }
    }

    /// Keys that were given need no fetching, and do not grow old.
    pub(crate) fn given(&self) {
        self.update(|state| state.given = true);
    }

    pub(crate) fn due(&self, now: Timestamp) -> Due {
        let now = now.as_seconds();
        self.update(|state| {
            match state.fetched.filter(|_| !state.given) {
                Some(fetched) if fetched.is_too_old(now) => Due::TooOld,
                // One fetches, the others go on with what there is.
                Some(fetched) if !fetched.is_fresh(now) && state.flight.is_none() && state.may_try(now) => Due::Old,
                _ => Due::Fine,
            }
        })
        .unwrap_or(Due::Fine)
    }

    /// Forgets keys that are too old.
    pub(crate) fn forget(&self) {
        self.update(|state| state.fetched = None);
    }

    /// Fetches the keys, unless that was just tried, and hands them to `take`. True if there are keys
    /// that may be used, old ones too.
    pub(crate) async fn load<D: Documents>(&self, now: Timestamp, documents: &D, take: impl FnOnce(Jwks)) -> bool {
        if !self.is_given()
            && let Some(number) = self.begin(now.as_seconds(), documents).await
        {
            let _landing = Landing { keys: self, number };
            let at = now.as_seconds();
            if let Ok((jwks, freshness)) = fetch(&self.issuer, at, documents).await
                && self.is_newest(number, Fetched { at, freshness })
            {
                take(jwks);
            }
        }
        self.is_usable(now)
    }

    /// The number of a fetch to make; `None` if there is none to make, or another request made it meanwhile.
    async fn begin<D: Documents>(&self, now: i64, documents: &D) -> Option<u32> {
        match self.flight() {
            None if self.update(|state| state.may_try(now)) == Some(true) => {}
            None => return None,
            // Nobody who will ever be done: where a request is cancelled, so is its fetch.
            Some(others) if self.hangs(others, documents).await => {}
            Some(_) => return None,
        }
        self.update(|state| {
            state.tried_at = Some(now);
            state.flights = state.flights.wrapping_add(1);
            state.flight = Some(state.flights);
            state.flights
        })
    }

    /// Waits for a fetch of another request, and for one that took over from it. False once there is none
    /// any more, or this took too long in all.
    async fn hangs<D: Documents>(&self, mut others: u32, documents: &D) -> bool {
        let mut looks: u32 = 0;
        for _ in 0..MOST_LOOKS {
            documents.pause(LOOK_MILLISECONDS).await;
            match self.flight() {
                None => return false,
                Some(number) if number == others => looks = looks.saturating_add(1),
                Some(number) => (others, looks) = (number, 0),
            }
            if looks >= LOOKS {
                return true;
            }
        }
        false
    }

    fn is_newest(&self, number: u32, fetched: Fetched) -> bool {
        let newest = self.update(|state| {
            let newest = number >= state.newest;
            if newest {
                state.newest = number;
                state.fetched = Some(fetched);
            }
            newest
        });
        newest.unwrap_or(false)
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        self.is_given()
            || (self.due(now) != Due::TooOld && self.update(|state| state.fetched.is_some()).unwrap_or(false))
    }

    fn is_given(&self) -> bool {
        self.update(|state| state.given).unwrap_or(false)
    }

    fn flight(&self) -> Option<u32> {
        self.update(|state| state.flight).flatten()
    }

    /// Never held across an await, so always there.
    fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.state.try_borrow_mut().ok().map(|mut state| change(&mut state))
    }
}

impl State {
    fn may_try(&self, now: i64) -> bool {
        let pause = if self.fetched.is_none() { RETRY_SECONDS } else { PAUSE_SECONDS };
        self.tried_at.is_none_or(|at| now.abs_diff(at) >= pause)
    }
}

/// Ends a fetch, also one that is dropped half-way.
struct Landing<'a> {
    keys: &'a IssuerKeys,
    number: u32,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.keys.update(|state| state.flight = state.flight.filter(|number| *number != self.number));
    }
}

/// An issuer's key set, by way of its metadata, and how long it serves.
async fn fetch<D: Documents>(issuer: &str, now: i64, documents: &D) -> Result<(Jwks, Freshness), Unavailable> {
    for url in metadata_urls(issuer) {
        if let Ok(metadata) = documents.get(&url).await
            && let Some(jwks_uri) = jwks_uri(&metadata.text, issuer)
        {
            let keys = documents.get(&jwks_uri).await?;
            let jwks = Jwks::parse(&keys.text).map_err(|_| Unavailable)?;
            return Ok((jwks, keys.freshness_of_keys(now)));
        }
    }
    Err(Unavailable)
}

/// Where an issuer's metadata may be (RFC 8414 §3.1, OpenID Connect Discovery §4).
fn metadata_urls(issuer: &str) -> Vec<String> {
    let authority = issuer.find("://").and_then(|at| issuer.get(at.checked_add(3)?..)).unwrap_or("");
    let path = authority.find('/').and_then(|at| authority.get(at..)).unwrap_or("");
    let origin = issuer.strip_suffix(path).unwrap_or(issuer);
    let path = path.strip_suffix('/').unwrap_or(path);
    [
        [origin, "/.well-known/oauth-authorization-server", path].concat(),
        [origin, path, "/.well-known/openid-configuration"].concat(),
    ]
    .into()
}

/// The `jwks_uri` of an issuer's metadata, whose `issuer` must be the very same (RFC 8414 §3.3) and
/// whose URL an https one (§2).
fn jwks_uri(metadata: &str, issuer: &str) -> Option<String> {
    let metadata = Object::parse(metadata.as_bytes()).ok()?;
    let text = |name| metadata.get(name).and_then(Value::as_str);
    (text("issuer")? == issuer).then_some(())?;
    text("jwks_uri").filter(|url| is_secure(url)).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_two_standards_put_it() {
        assert_eq!(
            metadata_urls("https://as.example"),
            [
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            metadata_urls("https://as.example:8443/realms/one/"),
            [
                "https://as.example:8443/.well-known/oauth-authorization-server/realms/one",
                "https://as.example:8443/realms/one/.well-known/openid-configuration"
            ]
        );
    }

    #[test]
    fn metadata_of_another_issuer_and_key_sets_in_the_clear_are_refused() {
        let of = |metadata: &str| jwks_uri(metadata, "https://as.example");
        assert_eq!(
            of(r#"{"issuer":"https://as.example","jwks_uri":"https://as.example/keys"}"#).as_deref(),
            Some("https://as.example/keys")
        );
        for metadata in [
            r#"{"issuer":"https://as.example/","jwks_uri":"https://as.example/keys"}"#,
            r#"{"jwks_uri":"https://as.example/keys"}"#,
            r#"{"issuer":"https://as.example","jwks_uri":"http://as.example/keys"}"#,
            r#"{"issuer":"https://as.example"}"#,
            "",
        ] {
            assert_eq!(of(metadata), None, "{metadata}");
        }
    }
}
