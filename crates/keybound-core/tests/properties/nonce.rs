//! Nonces are known in their window and the next, to the server that gave them out, and to nobody else.

use keybound_core::{
    nonce_syntax::is_nonce,
    server::nonce::{NonceRole, NonceStatus, Nonces},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};

use crate::cases;

const ROLES: [NonceRole; 2] = [NonceRole::ResourceServer, NonceRole::AuthorizationServer];

fn any_secret() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 32..80)
}

fn any_role() -> impl Strategy<Value = NonceRole> {
    prop::sample::select(ROLES.to_vec())
}

/// From 1970 to beyond any clock's year.
fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![0..10_000_i64, 1_500_000_000..3_000_000_000_i64, 0..1_000_000_000_000_i64]
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_nonce_is_current_then_previous_then_stale(
        secret in any_secret(),
        role in any_role(),
        audience in ".{0,30}",
        window in 1..100_000_u32,
        now in any_time(),
        later in 0..400_000_i64,
    ) {
        let nonces = Nonces::new(vec![secret], window, role, &audience).unwrap();
        let nonce = nonces.current(at(now));
        prop_assert!(is_nonce(&nonce) && nonce.len() == 28);
        let window = i64::from(window);
        let passed = (now + later) / window - now / window;
        let expected = match passed {
            0 => NonceStatus::Current,
            1 => NonceStatus::Previous,
            _ => NonceStatus::Stale,
        };
        prop_assert_eq!(nonces.check(&nonce, at(now + later)), expected);
        // As long as it is current, it is the one that is given out.
        prop_assert_eq!(nonces.current(at(now + later)) == nonce, passed == 0);
    }

    #[test]
    fn an_instance_whose_clock_is_a_window_behind_knows_it(
        secret in any_secret(),
        window in 1..1000_u32,
        now in 10_000..1_000_000_i64,
    ) {
        let nonces = Nonces::new(vec![secret], window, ROLES[0], "a").unwrap();
        let nonce = nonces.current(at(now));
        let window = i64::from(window);
        prop_assert_eq!(nonces.check(&nonce, at(now - window)), NonceStatus::Current);
        prop_assert_eq!(nonces.check(&nonce, at(now - 2 * window)), NonceStatus::Stale);
    }

    #[test]
    fn no_changed_nonce_is_known(
        secret in any_secret(),
        now in any_time(),
        place in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        later in 0..1000_i64,
    ) {
        let nonces = Nonces::new(vec![secret], 60, ROLES[0], "a").unwrap();
        let nonce = nonces.current(at(now));
        let mut changed = nonce.clone().into_bytes();
        let place = place.index(changed.len());
        changed[place] = octet;
        if let Ok(changed) = String::from_utf8(changed)
            && changed != nonce
        {
            prop_assert_eq!(nonces.check(&changed, at(now + later)), NonceStatus::Unknown);
        }
        prop_assert_eq!(nonces.check(&nonce[1..], at(now)), NonceStatus::Unknown);
        prop_assert_eq!(nonces.check(&format!("{nonce}A"), at(now)), NonceStatus::Unknown);
    }

    #[test]
    fn no_text_from_elsewhere_is_known(secret in any_secret(), text in "[A-Za-z0-9_-]{28}|\\PC{0,40}") {
        let nonces = Nonces::new(vec![secret], 60, ROLES[0], "a").unwrap();
        prop_assert_eq!(nonces.check(&text, at(1_780_000_000)), NonceStatus::Unknown);
    }

    #[test]
    fn secrets_roles_and_audiences_are_apart(
        secrets in (any_secret(), any_secret()),
        audiences in (".{0,20}", ".{0,20}"),
        roles in (any_role(), any_role()),
        now in any_time(),
    ) {
        let make =
            |secret: &[u8], audience: &str, role| Nonces::new(vec![secret.to_vec()], 60, role, audience).unwrap();
        let nonce = make(&secrets.0, &audiences.0, roles.0).current(at(now));
        let status = |secret, audience, role| make(secret, audience, role).check(&nonce, at(now));
        let unless = |same| if same { NonceStatus::Current } else { NonceStatus::Unknown };
        prop_assert_eq!(status(&secrets.1, &audiences.0, roles.0), unless(secrets.0 == secrets.1));
        prop_assert_eq!(status(&secrets.0, &audiences.1, roles.0), unless(audiences.0 == audiences.1));
        prop_assert_eq!(status(&secrets.0, &audiences.0, roles.1), unless(roles.0 == roles.1));
    }

    #[test]
    fn rotation_keeps_what_was_given_out_and_gives_out_the_newest(
        secrets in vec(any_secret(), 2..5),
        now in any_time(),
        dropped in any::<prop::sample::Index>(),
    ) {
        let make = |secrets: Vec<Vec<u8>>| Nonces::new(secrets, 60, ROLES[1], "a").unwrap();
        let all = make(secrets.clone());
        for secret in &secrets {
            prop_assert_eq!(all.check(&make(vec![secret.clone()]).current(at(now)), at(now)), NonceStatus::Current);
        }
        prop_assert_eq!(all.current(at(now)), make(vec![secrets[0].clone()]).current(at(now)));
        // A secret that is taken out is known no more.
        let mut rest = secrets.clone();
        let gone = rest.remove(dropped.index(secrets.len()));
        prop_assume!(!rest.contains(&gone));
        let nonce = make(vec![gone]).current(at(now));
        prop_assert_eq!(make(rest).check(&nonce, at(now)), NonceStatus::Unknown);
    }
}
