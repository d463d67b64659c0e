//! Which key signs: one for all, or each token's own while an old one still serves.

use alloc::{rc::Rc, vec::Vec};
use core::cell::RefCell;

use super::{BoundToken, DpopKey, Error};

/// Where the key comes from that signs a request's proof.
///
/// A [`DpopKey`] is one that signs everything; a [`Keyring`] knows several. An application that keeps keys
/// elsewhere writes its own.
#[allow(async_fn_in_trait, reason = "JavaScript has one thread")]
pub trait KeySource {
    /// Called before each attempt, with its token (none at authorization servers).
    ///
    /// # Errors
    /// What is returned here is what [`Client::send`](super::Client::send) returns.
    async fn key(&self, token: Option<&BoundToken>) -> Result<DpopKey, Error>;
}

impl KeySource for DpopKey {
    async fn key(&self, _token: Option<&BoundToken>) -> Result<DpopKey, Error> {
        Ok(self.clone())
    }
}

/// Several keys, of which each token gets its own: after a rotation the old key serves the old token until
/// that ends. Clones are the same ring.
///
/// A token is matched by its `thumbprint` (the `jkt` of its confirmation, RFC 9449 §6). One without, or of a
/// key that is not here, gets the current key; if that is not its own, the request fails with
/// [`ClientError::TokenKeyMismatch`](keybound_core::client::ClientError::TokenKeyMismatch) before anything
/// is sent.
///
/// ```no_run
/// # use keybound_browser::{BoundToken, Client, DpopKey, Error, Keyring, TokenSource};
/// # async fn rotate(tokens: impl TokenSource) -> Result<(), Error> {
/// let keys = Keyring::new(DpopKey::open("2026-01").await?);
/// let api = Client::resource_server(keys.clone(), ["https://api.example"], tokens)?;
/// // A new login: its tokens are bound to a key of their own, the old token is still good.
/// let old = keys.rotate(DpopKey::open("2026-02").await?);
/// // Once the old token has ended:
/// keys.retire(&old);
/// old.delete().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Keyring(Rc<RefCell<Ring>>);

#[derive(Debug)]
struct Ring {
    current: DpopKey,
    older: Vec<DpopKey>,
}

impl Keyring {
    /// A ring with one key, the current one.
    #[must_use]
    pub fn new(current: DpopKey) -> Self {
        Self(Rc::new(RefCell::new(Ring { current, older: Vec::new() })))
    }

    /// The key that new tokens get bound to.
    #[must_use]
    pub fn current(&self) -> DpopKey {
        self.0.borrow().current.clone()
    }

    /// Makes `next` the current key. The one before is returned, and goes on serving its tokens until it is
    /// [retired](Self::retire).
    pub fn rotate(&self, next: DpopKey) -> DpopKey {
        let mut ring = self.0.borrow_mut();
        ring.older.retain(|key| key.thumbprint() != next.thumbprint());
        let old = core::mem::replace(&mut ring.current, next);
        if old.thumbprint() != ring.current.thumbprint() {
            ring.older.push(old.clone());
        }
        old
    }

    /// Takes a key off the ring. It stays in its storage until [`DpopKey::delete`]. The current key stays on
    /// the ring too.
    pub fn retire(&self, key: &DpopKey) {
        self.0.borrow_mut().older.retain(|older| older.thumbprint() != key.thumbprint());
    }

    fn of(&self, token: Option<&BoundToken>) -> DpopKey {
        let ring = self.0.borrow();
        let thumbprint = token.and_then(|token| token.thumbprint.as_deref());
        let older = thumbprint.and_then(|jkt| ring.older.iter().find(|key| key.thumbprint() == jkt));
        older.unwrap_or(&ring.current).clone()
    }
}

impl KeySource for Keyring {
    async fn key(&self, token: Option<&BoundToken>) -> Result<DpopKey, Error> {
        Ok(self.of(token))
    }
}
