//! What a server remembers between requests, each bounded: verified tokens and clients' keys.
//!
//! What is remembered is that a signature was checked, never a decision: expiry, policy, binding,
//! proof and replay are checked for every request.

use alloc::{sync::Arc, vec::Vec};

use keybound_core::{proof::check::ProofHeader, server::token::VerifiedToken, thumbprint::Thumbprint, time::Timestamp};

use crate::lru::Lru;

/// How long a verified token is remembered at most, in seconds.
const TOKEN_SECONDS: i64 = 300;

/// A number under which the driver keeps what goes with an entry. Never used twice; 0 is none.
pub type Id = u32;

/// Verified tokens by the SHA-256 of their text.
#[derive(Debug)]
pub struct TokenCache {
    index: Lru,
    tokens: Vec<Option<RememberedToken>>,
    next: Id,
}

#[derive(Debug)]
struct RememberedToken {
    id: Id,
    token: Arc<VerifiedToken>,
    until: Timestamp,
}

impl TokenCache {
    /// A cache of so many tokens; 0 remembers none.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { index: Lru::new(capacity), tokens: Vec::new(), next: 1 }
    }

    /// The token, if it is still remembered.
    pub fn get(&mut self, hash: &[u8; 32], now: Timestamp) -> Option<(Id, Arc<VerifiedToken>)> {
        let entry = self.tokens.get(self.index.get(hash)?)?.as_ref()?;
        (entry.until > now).then(|| (entry.id, Arc::clone(&entry.token)))
    }

    /// Remembers a token until it expires, until `until`, or for five minutes, whichever comes first.
    /// Gives its id, and that of the entry that had to go.
    pub fn put(
        &mut self,
        hash: [u8; 32],
        token: &Arc<VerifiedToken>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> (Id, Id) {
        let place = match self.index.get(&hash) {
            Some(place) => place,
            None => match self.index.insert(hash) {
                Some(inserted) => inserted.place,
                None => return (0, 0),
            },
        };
        let id = next_id(&mut self.next);
        let latest = now.plus_seconds(TOKEN_SECONDS);
        let until = [token.expires(), until].into_iter().flatten().fold(latest, Timestamp::min);
        let entry = RememberedToken { id, token: Arc::clone(token), until };
        let gone = put_at(&mut self.tokens, place, entry).map_or(0, |entry| entry.id);
        (id, gone)
    }

    /// Forgets every token that was signed with a key that is not among these.
    pub fn keep_signed_by(&mut self, keys: &[Thumbprint]) -> Vec<Id> {
        let mut gone = Vec::new();
        for (place, entry) in self.tokens.iter_mut().enumerate() {
            let signer = entry.as_ref().and_then(|entry| entry.token.key());
            if signer.is_some_and(|key| !keys.contains(&key)) {
                gone.extend(entry.take().map(|entry| entry.id));
                self.index.remove(place);
            }
        }
        gone
    }
}

/// The longest proof header that is remembered, in octets: one with an RSA key of 4096 bits is within it.
const MAX_HEADER: usize = 1024;

/// Clients' keys that verified a proof, by thumbprint, each with the header of that proof. The driver keeps the
/// imported key.
#[derive(Debug)]
pub struct KeyCache {
    index: Lru,
    keys: Vec<Option<RememberedKey>>,
    next: Id,
}

#[derive(Debug)]
struct RememberedKey {
    id: Id,
    header: Option<Arc<ProofHeader>>,
}

impl KeyCache {
    /// A cache of so many keys; 0 remembers none.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { index: Lru::new(capacity), keys: Vec::new(), next: 1 }
    }

    /// The id of a key, 0 if it is not remembered.
    pub fn get(&mut self, key: Thumbprint) -> Id {
        self.entry(key).map_or(0, |entry| entry.id)
    }

    /// The header of the key's last proof.
    pub fn header(&mut self, key: Thumbprint) -> Option<&Arc<ProofHeader>> {
        self.entry(key)?.header.as_ref()
    }

    fn entry(&mut self, key: Thumbprint) -> Option<&mut RememberedKey> {
        self.keys.get_mut(self.index.get(key.as_bytes())?)?.as_mut()
    }

    /// Remembers a key, with the header of the proof that it verified. Gives its id, and that of the entry that had to go.
    pub fn put(&mut self, key: Thumbprint, header: Option<&Arc<ProofHeader>>) -> (Id, Id) {
        let header = header.filter(|header| header.encoded_len() <= MAX_HEADER);
        if let Some(entry) = self.entry(key) {
            if !matches!((&entry.header, header), (Some(known), Some(header)) if Arc::ptr_eq(known, header)) {
                entry.header = header.cloned();
            }
            return (entry.id, 0);
        }
        let Some(inserted) = self.index.insert(*key.as_bytes()) else { return (0, 0) };
        let id = next_id(&mut self.next);
        let entry = RememberedKey { id, header: header.cloned() };
        (id, put_at(&mut self.keys, inserted.place, entry).map_or(0, |entry| entry.id))
    }
}

/// Puts a value at a place, and gives what was there. Places come one after the other.
fn put_at<T>(values: &mut Vec<Option<T>>, place: usize, value: T) -> Option<T> {
    match values.get_mut(place) {
        Some(there) => there.replace(value),
        None => {
            values.push(Some(value));
            None
        }
    }
}

fn next_id(next: &mut Id) -> Id {
    let id = *next;
    *next = next.checked_add(1).unwrap_or(1);
    id
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use keybound_core::{
        base64url,
        proof::check::{self, ExpectedRequest, ProofPolicy},
        target_uri::TargetUri,
    };

    use super::*;

    fn token(exp: i64) -> Arc<VerifiedToken> {
        let claims = alloc::format!("{{\"exp\":{exp}}}");
        Arc::new(VerifiedToken::from_source(true, &claims, &[], &[String::new()]).unwrap())
    }

    #[test]
    fn tokens_are_forgotten_at_the_earliest_of_expiry_source_and_five_minutes() {
        let mut cache = TokenCache::new(10);
        let now = Timestamp::from_seconds(1000);
        cache.put([1; 32], &token(1010), None, now);
        cache.put([2; 32], &token(9000), None, now);
        cache.put([3; 32], &token(9000), Some(now.plus_seconds(5)), now);
        for (hash, seconds) in [([1; 32], 10), ([2; 32], 300), ([3; 32], 5)] {
            assert!(cache.get(&hash, now.plus_seconds(seconds - 1)).is_some());
            assert!(cache.get(&hash, now.plus_seconds(seconds)).is_none());
        }
    }

    #[test]
    fn caches_hold_to_their_bounds_and_say_who_had_to_go() {
        let mut keys = KeyCache::new(2);
        let key = |octet| Thumbprint::from_bytes([octet; 32]);
        assert_eq!(keys.put(key(1), None), (1, 0));
        assert_eq!(keys.put(key(2), None), (2, 0));
        assert_eq!(keys.put(key(1), None), (1, 0));
        assert_eq!(keys.put(key(3), None), (3, 2));
        assert_eq!((keys.get(key(1)), keys.get(key(2))), (1, 0));
        let mut none = KeyCache::new(0);
        assert_eq!(none.put(key(1), None), (0, 0));
    }

    /// What a proof with this header text gives, as if its signature had verified.
    fn header(more: &str) -> Arc<ProofHeader> {
        let jwk = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let header = alloc::format!(r#"{{"typ":"dpop+jwt","alg":"Ed25519","jwk":{jwk}{more}}}"#);
        let claims = r#"{"jti":"1","htm":"GET","htu":"https://a/","iat":1000}"#;
        let parts = [header.as_bytes(), claims.as_bytes(), &[7; 64]].map(base64url::encode);
        let target = TargetUri::parse("https://a/").unwrap();
        let now = Timestamp::from_seconds(1000);
        let request = ExpectedRequest { method: "GET", target: &target, access_token_hash: None, now };
        let proof = check::parse(&parts.join("."), &ProofPolicy::DEFAULT, &request).unwrap();
        Arc::clone(proof.verified(Ok(())).unwrap().header())
    }

    #[test]
    fn a_key_has_the_header_of_its_last_proof_and_no_other_key_has_it() {
        let mut keys = KeyCache::new(2);
        let key = |octet| Thumbprint::from_bytes([octet; 32]);
        let (first, second) = (header(""), header(r#","more":1"#));
        keys.put(key(1), Some(&first));
        assert!(Arc::ptr_eq(keys.header(key(1)).unwrap(), &first));
        assert!(keys.header(key(2)).is_none());
        keys.put(key(1), Some(&second));
        assert!(Arc::ptr_eq(keys.header(key(1)).unwrap(), &second));
        // The key goes, and its header with it.
        keys.put(key(2), None);
        keys.put(key(3), None);
        assert!(keys.header(key(1)).is_none());
        assert_eq!(Arc::strong_count(&second), 1);
    }

    #[test]
    fn a_header_that_is_longer_than_any_key_needs_is_not_kept() {
        let mut keys = KeyCache::new(2);
        let long = header(&alloc::format!(r#","more":"{}""#, "m".repeat(MAX_HEADER)));
        assert_eq!(keys.put(Thumbprint::from_bytes([1; 32]), Some(&long)).0, 1);
        assert!(keys.header(Thumbprint::from_bytes([1; 32])).is_none());
    }

    #[test]
    fn a_million_distinct_keys_and_tokens_leave_the_caches_within_their_bounds() {
        const BOUND: usize = 1000;
        let mut keys = KeyCache::new(BOUND);
        let mut tokens = TokenCache::new(BOUND);
        let (token, now) = (token(9000), Timestamp::from_seconds(1000));
        let mut gone = [0_usize; 2];
        for number in 0..1_000_000_u32 {
            // As hashes are: the first octets tell them apart.
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_le_bytes());
            gone[0] += usize::from(keys.put(Thumbprint::from_bytes(hash), None).1 != 0);
            gone[1] += usize::from(tokens.put(hash, &token, None, now).1 != 0);
        }
        assert_eq!(gone, [1_000_000 - BOUND; 2]);
        assert_eq!((keys.keys.len(), tokens.tokens.len()), (BOUND, BOUND));
        assert_eq!(Arc::strong_count(&token), BOUND + 1);
    }
}
