//! The key, and proofs made with it.

use alloc::{
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::cell::{Cell, OnceCell, RefCell};

use js_sys::{Object, Reflect};
use keybound_core::{
    algorithm::Algorithm,
    client::ClientError,
    key::PublicKey,
    proof::build::{AccessTokenHash, Claim, ProofRequest, ProofTemplate},
};
use keybound_webcrypto::KeyPair;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, CryptoKey, MessageEvent};

use super::{Error, store};
use crate::platform;

/// Where a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In IndexedDB: it is there again after a reload.
    Persistent,
    /// In memory, gone with the page: IndexedDB was refused (private mode, blocked site data, a full disk), or nobody
    /// asked for more. Say so to the person, who has to log in again after a reload.
    Memory,
}

/// A DPoP key pair whose private half cannot leave this browser (RFC 9449 §2, §11.4).
#[derive(Clone, Debug)]
pub struct DpopKey(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Option<String>,
    pair: KeyPair,
    template: ProofTemplate,
    storage: Storage,
    deleted: Cell<bool>,
}

/// What one proof is for.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The method as it goes on the wire.
    pub method: &'a str,
    /// Absolute `https` URL, or `http` on a loopback host; query, fragment and userinfo are left out.
    pub url: &'a str,
    /// Adds `ath`; for a resource server, not for a token endpoint.
    pub access_token: Option<&'a str>,
    /// The newest nonce of that server.
    pub nonce: Option<&'a str>,
    /// Further claims; registered names are refused.
    pub claims: &'a [Claim<'a>],
}

impl<'a> Proof<'a> {
    /// A proof with the required claims only.
    #[must_use]
    pub const fn new(method: &'a str, url: &'a str) -> Self {
        Self { method, url, access_token: None, nonce: None, claims: &[] }
    }
}

impl DpopKey {
    /// Opens the key called `name`, making one for ES256 on first use. Pages, tabs and workers that
    /// open it at once get one and the same key, also those that use the npm package.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Key`].
    pub async fn open(name: &str) -> Result<Self, Error> {
        Self::open_with(name, Algorithm::Es256).await
    }

    /// As [`DpopKey::open`]; a key that is made now is for this algorithm.
    ///
    /// # Errors
    /// As [`DpopKey::open`].
    pub async fn open_with(name: &str, algorithm: Algorithm) -> Result<Self, Error> {
        let (pair, storage) = store::obtain(name, algorithm).await?;
        Self::of(Some(name.into()), pair, storage)
    }

    /// Opens the key that a token is bound to: the one called `name`, with this thumbprint (`jkt`, RFC 9449 §6). None
    /// is made.
    ///
    /// # Errors
    /// [`Error::KeyLost`] where there is none, or another one: the browser removed the site's data, and left the token.
    /// Log in again. Else as [`DpopKey::open`].
    pub async fn open_bound(name: &str, thumbprint: &str) -> Result<Self, Error> {
        let (pair, storage) = store::find(name, Algorithm::Es256).await?.ok_or(Error::KeyLost)?;
        let key = Self::of(Some(name.into()), pair, storage)?;
        if key.thumbprint() == thumbprint { Ok(key) } else { Err(Error::KeyLost) }
    }

    /// Uses a pair made elsewhere. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::Key`], for one in extractable form (RFC 9449 §11.4) among others.
    pub async fn from_crypto_keys(private: CryptoKey, public: CryptoKey, algorithm: Algorithm) -> Result<Self, Error> {
        let pair = KeyPair::from_crypto_keys(private, public, algorithm).await?;
        Self::of(None, pair, Storage::Memory)
    }

    fn of(name: Option<String>, pair: KeyPair, storage: Storage) -> Result<Self, Error> {
        let template = ProofTemplate::new(pair.algorithm(), pair.public_key().clone()).map_err(ClientError::Proof)?;
        let inner = Rc::new(Inner { name, pair, template, storage, deleted: Cell::new(false) });
        listen(&inner);
        Ok(Self(inner))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.0.pair.public_key()
    }

    /// RFC 7638 thumbprint, base64url: the `dpop_jkt` of an authorization request (RFC 9449 §10).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.public_key().thumbprint().to_base64url()
    }

    /// The `alg` of its proofs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.template.algorithm()
    }

    /// Where it lives.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.0.storage
    }

    /// What it was opened as; `None` for a pair made elsewhere.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Whether it was deleted, here or in another tab: it signs no more, [`Error::KeyLost`].
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.0.deleted.get()
    }

    /// The handles, for whatever else signs with it.
    #[must_use]
    pub fn pair(&self) -> &KeyPair {
        &self.0.pair
    }

    /// One proof for one request (RFC 9449 §4.2). Use it once.
    ///
    /// # Errors
    /// [`Error::Client`] for what no proof can say, [`Error::KeyLost`], [`Error::Key`].
    pub async fn proof(&self, proof: Proof<'_>) -> Result<String, Error> {
        let hash = match proof.access_token {
            Some(token) => Some(AccessTokenHash::of(token).map_err(ClientError::Proof)?),
            None => None,
        };
        let random = platform::random();
        let input = self.0.template.signing_input(&ProofRequest {
            access_token: hash.as_ref(),
            nonce: proof.nonce,
            claims: proof.claims,
            ..ProofRequest::new(proof.method, proof.url, now(), &random)
        });
        self.sign(input.map_err(ClientError::Proof)?).await
    }

    /// Removes the key from storage; all who have it open here, other tabs and workers are told, also those that use
    /// the npm package. Tokens bound to it are of no use any more. A pair made elsewhere was never stored: nothing
    /// happens.
    ///
    /// # Errors
    /// [`Error::Storage`]: it is not known whether it is gone.
    pub async fn delete(&self) -> Result<(), Error> {
        if let Some(name) = &self.0.name {
            store::forget(name).await?;
            self.0.deleted.set(true);
            tell(name, &self.thumbprint());
        }
        Ok(())
    }

    pub(super) fn template(&self) -> &ProofTemplate {
        &self.0.template
    }

    /// The proof whose signing input this is.
    pub(super) async fn sign(&self, input: String) -> Result<String, Error> {
        if self.0.deleted.get() {
            return Err(Error::KeyLost);
        }
        let signature = self.0.pair.sign(input.as_bytes()).await?;
        Ok(self.0.template.finish(input, &signature).map_err(ClientError::Proof)?)
    }
}

std::thread_local! {
    /// Keys that are open here, to be told when another tab deletes them.
    static OPEN: RefCell<Vec<Weak<Inner>>> = const { RefCell::new(Vec::new()) };
    /// Where the tabs of the origin tell each other; none where there is none.
    static CHANNEL: OnceCell<Option<BroadcastChannel>> = const { OnceCell::new() };
}

/// The channel of the npm package, and its messages.
const CHANNEL_NAME: &str = "keybound";

fn listen(key: &Rc<Inner>) {
    OPEN.with_borrow_mut(|open| {
        open.retain(|other| other.strong_count() > 0);
        open.push(Rc::downgrade(key));
    });
    // Only where there are tabs: elsewhere an open channel would keep the process alive.
    if key.storage == Storage::Persistent {
        CHANNEL.with(|channel| channel.get_or_init(open_channel).is_some());
    }
}

fn open_channel() -> Option<BroadcastChannel> {
    let channel = BroadcastChannel::new(CHANNEL_NAME).ok()?;
    let deleted = Closure::<dyn FnMut(MessageEvent)>::new(|event: MessageEvent| {
        let data = event.data();
        let member = |name: &str| Reflect::get(&data, &name.into()).ok().and_then(|text| text.as_string());
        if let (Some(name), Some(thumbprint)) = (member("name"), member("thumbprint")) {
            lose(&name, &thumbprint);
        }
    });
    channel.set_onmessage(Some(deleted.as_ref().unchecked_ref()));
    // One for as long as the page lives.
    deleted.forget();
    Some(channel)
}

fn tell(name: &str, thumbprint: &str) {
    lose(name, thumbprint);
    let message = Object::new();
    let member = |key: &str, value: &str| Reflect::set(&message, &key.into(), &JsValue::from_str(value));
    if member("name", name).is_ok() && member("thumbprint", thumbprint).is_ok() {
        // A channel that was closed has nobody to tell.
        CHANNEL.with(|channel| {
            channel.get().and_then(Option::as_ref).map(|channel| channel.post_message(&message));
        });
    }
}

/// A key of this name may be another one by now: its thumbprint says which.
fn lose(name: &str, thumbprint: &str) {
    let keys: Vec<_> = OPEN.with_borrow(|open| open.iter().filter_map(Weak::upgrade).collect());
    for key in keys.into_iter().map(DpopKey) {
        if key.name() == Some(name) && key.thumbprint() == thumbprint {
            key.0.deleted.set(true);
        }
    }
}

/// Whole seconds since 1970.
#[allow(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
pub(super) fn now() -> i64 {
    platform::now() as i64
}
