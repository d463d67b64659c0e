//! Server nonces without state (RFC 9449 §8, §9): an HMAC over a time window.
//!
//! Whoever shares a secret knows the nonces of all others without talking to them. The MAC covers
//! the role and the audience, so that a token endpoint's nonce is none at a resource server.

use alloc::{string::String, vec::Vec};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::{base64url, server::reason::Reason, time::Timestamp};

/// The shortest secret, in octets.
pub const MIN_SECRET_BYTES: usize = 32;

/// Octets of a nonce: five of the window's number, sixteen of the MAC.
const WINDOW_LEN: usize = 5;
const MAC_LEN: usize = 16;

/// What a server knows of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceStatus {
    /// The one that it gives out now.
    Current,
    /// The one before: accepted, and answered with the current one.
    Previous,
    /// It was given out once, too long ago.
    Stale,
    /// It never was.
    Unknown,
}

/// What a server does with nonces (RFC 9449 §8, §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NonceRule {
    /// It gives none out and ignores what clients send.
    #[default]
    Ignore,
    /// A proof may do without; one that has a nonce must have a good one.
    Optional,
    /// Every proof needs one.
    Require,
}

impl NonceRule {
    /// Whether a proof's nonce will do: `true` if it will, and it is time for the next one.
    pub(crate) const fn check(self, present: bool, status: Option<NonceStatus>) -> Result<bool, Reason> {
        match (self, present, status) {
            (Self::Ignore, ..) | (Self::Optional, false, _) => Ok(false),
            (Self::Require, false, _) => Err(Reason::NonceMissing),
            (_, _, Some(NonceStatus::Current)) => Ok(false),
            (_, _, Some(NonceStatus::Previous)) => Ok(true),
            (_, _, Some(NonceStatus::Stale)) => Err(Reason::NonceStale),
            (_, _, Some(NonceStatus::Unknown) | None) => Err(Reason::NonceUnknown),
        }
    }
}

/// Why a nonce policy cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoncePolicyError {
    /// There is no secret.
    NoSecret,
    /// A secret is shorter than [`MIN_SECRET_BYTES`].
    ShortSecret,
    /// The window has no length.
    EmptyWindow,
}

/// The role whose nonces these are; theirs differ (RFC 9449 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceRole {
    /// A resource server.
    ResourceServer,
    /// An authorization server.
    AuthorizationServer,
}

/// Makes and knows nonces.
pub struct Nonces {
    secrets: Vec<Vec<u8>>,
    window: u32,
    context: Vec<u8>,
}

impl core::fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Nonces")
    }
}

impl Nonces {
    /// Nonces of this role and audience. The first secret signs, all verify: rotate by putting a new
    /// one in front. `window` is in seconds.
    ///
    /// # Errors
    /// See [`NoncePolicyError`].
    pub fn new(secrets: Vec<Vec<u8>>, window: u32, role: NonceRole, audience: &str) -> Result<Self, NoncePolicyError> {
        if secrets.is_empty() {
            return Err(NoncePolicyError::NoSecret);
        }
        if secrets.iter().any(|secret| secret.len() < MIN_SECRET_BYTES) {
            return Err(NoncePolicyError::ShortSecret);
        }
        if window == 0 {
            return Err(NoncePolicyError::EmptyWindow);
        }
        let mut context = Vec::from(&b"keybound nonce 1 "[..]);
        context.extend_from_slice(match role {
            NonceRole::ResourceServer => b"rs ",
            NonceRole::AuthorizationServer => b"as ",
        });
        context.extend_from_slice(audience.as_bytes());
        Ok(Self { secrets, window, context })
    }

    /// The nonce to give out now. 28 characters of base64url.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> String {
        let window = self.window_of(now);
        let mut octets = Vec::with_capacity(WINDOW_LEN.saturating_add(MAC_LEN));
        octets.extend_from_slice(&window);
        if let Some(mac) = self.secrets.first().and_then(|secret| self.mac(secret, window)) {
            octets.extend_from_slice(&mac);
        }
        base64url::encode(&octets)
    }

    /// What this server knows of a nonce. Every octet of it counts (RFC 9449 §8).
    #[must_use]
    pub fn check(&self, nonce: &str, now: Timestamp) -> NonceStatus {
        let Ok(octets) = base64url::decode_array::<{ WINDOW_LEN + MAC_LEN }>(nonce) else {
            return NonceStatus::Unknown;
        };
        let Some((window, mac)) = octets.split_first_chunk::<WINDOW_LEN>() else {
            return NonceStatus::Unknown;
        };
        let known = self
            .secrets
            .iter()
            .any(|secret| self.mac(secret, *window).is_some_and(|expected| bool::from(expected.as_slice().ct_eq(mac))));
        if !known {
            return NonceStatus::Unknown;
        }
        let age = number(self.window_of(now)).wrapping_sub(number(*window));
        match age {
            // Another isolate's clock may be a little ahead.
            -1 | 0 => NonceStatus::Current,
            1 => NonceStatus::Previous,
            _ => NonceStatus::Stale,
        }
    }

    fn window_of(&self, now: Timestamp) -> [u8; WINDOW_LEN] {
        let index = now.as_seconds().checked_div(i64::from(self.window)).unwrap_or(0).max(0);
        let [_, _, _, window @ ..] = index.to_be_bytes();
        window
    }

    fn mac(&self, secret: &[u8], window: [u8; WINDOW_LEN]) -> Option<[u8; MAC_LEN]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(&self.context);
        mac.update(&window);
        mac.finalize().into_bytes().first_chunk::<MAC_LEN>().copied()
    }
}

fn number(window: [u8; WINDOW_LEN]) -> i64 {
    window.iter().fold(0, |sum, octet| (sum << 8) | i64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonces(secrets: &[u8], role: NonceRole, audience: &str) -> Nonces {
        let secrets = secrets.iter().map(|octet| alloc::vec![*octet; 32]).collect();
        Nonces::new(secrets, 60, role, audience).unwrap()
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_780_000_000);

    #[test]
    fn a_nonce_ages_from_current_to_stale() {
        let rs = nonces(&[1], NonceRole::ResourceServer, "https://rs.example");
        let nonce = rs.current(NOW);
        assert_eq!(nonce.len(), 28);
        assert!(crate::nonce_syntax::is_nonce(&nonce));
        assert_eq!(rs.check(&nonce, NOW), NonceStatus::Current);
        assert_eq!(rs.check(&nonce, NOW.plus_seconds(60)), NonceStatus::Previous);
        assert_eq!(rs.check(&nonce, NOW.plus_seconds(120)), NonceStatus::Stale);
        assert_eq!(rs.check(&nonce, NOW.plus_seconds(-60)), NonceStatus::Current);
        assert_eq!(rs.check(&nonce, NOW.plus_seconds(-120)), NonceStatus::Stale);
    }

    #[test]
    fn secrets_rotate_and_others_are_unknown() {
        let old = nonces(&[1], NonceRole::ResourceServer, "a");
        let rotated = nonces(&[2, 1], NonceRole::ResourceServer, "a");
        let new = nonces(&[2], NonceRole::ResourceServer, "a");
        assert_eq!(rotated.check(&old.current(NOW), NOW), NonceStatus::Current);
        assert_eq!(new.check(&rotated.current(NOW), NOW), NonceStatus::Current);
        assert_eq!(new.check(&old.current(NOW), NOW), NonceStatus::Unknown);
    }

    #[test]
    fn role_and_audience_are_covered() {
        let rs = nonces(&[1], NonceRole::ResourceServer, "a");
        let nonce = rs.current(NOW);
        assert_eq!(nonces(&[1], NonceRole::AuthorizationServer, "a").check(&nonce, NOW), NonceStatus::Unknown);
        assert_eq!(nonces(&[1], NonceRole::ResourceServer, "b").check(&nonce, NOW), NonceStatus::Unknown);
    }

    #[test]
    fn any_other_text_is_unknown() {
        let rs = nonces(&[1], NonceRole::ResourceServer, "a");
        let nonce = rs.current(NOW);
        for at in 0..nonce.len() {
            let mut octets = nonce.clone().into_bytes();
            octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(octets).unwrap();
            assert_ne!(rs.check(&changed, NOW), NonceStatus::Current, "{at}");
        }
        for text in ["", "x", &nonce[1..], &alloc::format!("{nonce}="), &alloc::format!("{nonce}A")] {
            assert_eq!(rs.check(text, NOW), NonceStatus::Unknown);
        }
    }

    #[test]
    fn weak_policies_cannot_be_made() {
        let new = |secrets, window| Nonces::new(secrets, window, NonceRole::ResourceServer, "a").err();
        assert_eq!(new(Vec::new(), 60), Some(NoncePolicyError::NoSecret));
        assert_eq!(new(alloc::vec![alloc::vec![1; 32], alloc::vec![1; 31]], 60), Some(NoncePolicyError::ShortSecret));
        assert_eq!(new(alloc::vec![alloc::vec![1; 32]], 0), Some(NoncePolicyError::EmptyWindow));
    }
}
