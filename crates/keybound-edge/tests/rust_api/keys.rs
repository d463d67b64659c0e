//! Issuers' keys: fetched once, at a bounded rate, and no longer used than is right.

use keybound_core::server::{jwks::Jwks, reason::Reason};
use keybound_edge::surroundings::Document;
use pollster::block_on;

use crate::support::{NOW, Signer, World, all};

#[test]
fn many_requests_at_once_fetch_the_keys_once() {
    let world = World::new();
    let token = world.token();
    let decisions = all((0..20).map(|_| Box::pin(world.ask(&token, None, NOW)) as _).collect());
    assert!(decisions.iter().all(Result::is_ok), "{decisions:?}");
    assert_eq!(world.library.fetches_of_keys(), 1);
}

#[test]
fn a_fetch_that_is_dropped_half_way_is_made_anew_at_once() {
    let world = World::new();
    let token = world.token();
    world.library.polls.set(100);
    {
        let mut dropped = Box::pin(world.ask(&token, None, NOW));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(dropped.as_mut().poll(&mut context).is_pending());
    }
    world.library.polls.set(0);
    // A second later, since there are no keys yet and fetches have a bounded rate.
    assert!(block_on(world.ask(&token, None, NOW + 1)).is_ok());
}

#[test]
fn a_fetch_that_hangs_is_taken_over() {
    let world = World::new();
    let token = world.token();
    // More polls than others are patient for.
    world.library.polls.set(400);
    let decisions = all((0..3).map(|_| Box::pin(world.ask(&token, None, NOW)) as _).collect());
    assert!(decisions.iter().all(Result::is_ok), "{decisions:?}");
    assert!((2..=3).contains(&world.library.fetches_of_keys()), "{}", world.library.fetches_of_keys());
}

#[test]
fn keys_are_fetched_anew_after_ten_minutes_and_old_ones_serve_for_an_hour_more() {
    let world = World::new();
    let token = world.token();
    let ask = |now| block_on(world.ask(&token, None, now)).map_err(|rejected| rejected.reason()).map(|_| ());
    assert_eq!(ask(NOW), Ok(()));
    assert_eq!(ask(NOW + 600), Ok(()));
    assert_eq!(world.library.fetches_of_keys(), 1);
    assert_eq!(ask(NOW + 601), Ok(()));
    assert_eq!(world.library.fetches_of_keys(), 2);
    // The issuer's server is down from now on.
    world.library.texts.borrow_mut().clear();
    assert_eq!(ask(NOW + 601 + 4200), Ok(()));
    assert_eq!(ask(NOW + 601 + 4201), Err(Reason::TokenSourceUnavailable));
}

/// How long keys are fresh, and for how long they then serve, whose answer has these fields.
fn serves(fields: Document) -> (i64, i64) {
    let world = World::new();
    let token = world.token();
    world.library.fields.replace(fields);
    let is_good = |now| block_on(world.ask(&token, None, now)).is_ok();
    assert!(is_good(NOW));
    let steps = [60, 120, 300, 600, 900, 1200, 3600, 86_400];
    let fetches = || world.library.fetches_of_keys();
    // Each moment by itself: a fetch makes them new.
    let fresh = steps.into_iter().find(|seconds| {
        let before = fetches();
        assert!(is_good(NOW + seconds));
        assert_eq!(fetches(), before, "{seconds} s are not over");
        let still = World::new();
        still.library.fields.replace(world.library.fields.borrow().clone());
        let ask = |now| block_on(still.ask(&token, None, now)).is_ok();
        assert!(ask(NOW) && ask(NOW + seconds + 1));
        still.library.fetches_of_keys() == 2
    });
    let fresh = fresh.unwrap();
    world.library.texts.borrow_mut().clear();
    let stale = [300, 1800, 3600].into_iter().find(|seconds| {
        assert!(is_good(NOW + fresh + seconds));
        !is_good(NOW + fresh + seconds + 1)
    });
    (fresh, stale.unwrap())
}

#[test]
fn keys_serve_as_their_answer_says_within_bounds() {
    let control = |cache_control: &str| {
        let mut document = Document::new("");
        document.cache_control = Some(cache_control.to_owned());
        document
    };
    assert_eq!(serves(Document::new("")), (600, 3600));
    assert_eq!(serves(control("public, max-age=300")), (300, 3600));
    assert_eq!(serves(control("max-age=15")), (60, 3600), "not more often than each minute");
    assert_eq!(serves(control("no-store")), (60, 300));
    assert_eq!(serves(control("max-age=900, stale-if-error=1800")), (900, 1800));
    let mut aged = control("max-age=900");
    aged.age = Some("600".to_owned());
    assert_eq!(serves(aged), (300, 3600));
    let mut expiring = Document::new("");
    (expiring.expires, expiring.date) = (Some(NOW + 5000), Some(NOW + 3800));
    assert_eq!(serves(expiring.clone()), (1200, 3600));
    expiring.date = None;
    expiring.expires = Some(NOW + 900);
    assert_eq!(serves(expiring), (900, 3600), "by the verifier's clock");
}

#[test]
fn keys_do_not_serve_for_longer_than_a_day_before_they_are_fetched_anew() {
    let world = World::new();
    let token = world.token();
    world.library.fields.borrow_mut().cache_control = Some("max-age=3293198".to_owned());
    for (now, fetches) in [(NOW, 1), (NOW + 86_400, 1), (NOW + 86_401, 2)] {
        assert!(block_on(world.ask(&token, None, now)).is_ok());
        assert_eq!(world.library.fetches_of_keys(), fetches, "{now}");
    }
}

#[test]
fn a_key_that_is_gone_verifies_nothing_more() {
    let world = World::new();
    let token = world.token();
    let ask = |now| block_on(world.ask(&token, None, now)).map_err(|rejected| rejected.reason()).map(|_| ());
    assert_eq!(ask(NOW), Ok(()));
    let keys = Signer::new(9).jwks("k2");
    world.library.texts.borrow_mut().insert("https://as.example/keys".to_owned(), keys);
    assert_eq!(ask(NOW + 601), Err(Reason::TokenKeyUnknown));
}

#[test]
fn an_unknown_kid_fetches_at_a_bounded_rate() {
    let world = World::new();
    let known = world.token();
    assert!(block_on(world.ask(&known, None, NOW)).is_ok());
    for round in 0..10 {
        let token = world.bound_token(&format!("unknown-{round}"));
        let rejected = block_on(world.ask(&token, None, NOW + 1)).unwrap_err();
        assert_eq!(rejected.reason(), Reason::TokenKeyUnknown);
    }
    assert_eq!(world.library.fetches_of_keys(), 1);
    // A key that was added meanwhile is found as soon as the rate lets a fetch through.
    let both = world.issuer.jwks("k1").replace(r#"]}"#, ",") + &world.issuer.jwks("k2")[9..];
    world.library.texts.borrow_mut().insert("https://as.example/keys".to_owned(), both);
    assert!(block_on(world.ask(&world.bound_token("k2"), None, NOW + 30)).is_ok());
}

#[test]
fn keys_that_were_given_are_never_fetched_and_never_too_old() {
    let mut world = World::new();
    let given = Jwks::parse(&world.issuer.jwks("k1")).unwrap();
    let config = keybound_edge::engine::Config::for_jwts([crate::support::ISSUER], [crate::support::AUDIENCE]);
    world.server = keybound_edge::ResourceServer::new(config).unwrap().with_keys(0, given);
    for now in [NOW, NOW + 50_000] {
        assert!(block_on(world.ask(&world.token(), None, now)).is_ok());
    }
    assert!(world.library.asked.borrow().is_empty());
}
