//! Where keys live: IndexedDB, in the form that the npm package stores them; else memory.

use alloc::{collections::BTreeMap, string::String};
use core::cell::RefCell;

use js_sys::{Date, Object, Promise, Reflect, futures::JsFuture, global};
use keybound_core::algorithm::Algorithm;
use keybound_webcrypto::{KeyPair, KeyPairError};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{
    CryptoKey, Event, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbTransaction, IdbTransactionMode,
};

use super::{Error, Storage, waiting::within};

const DATABASE: &str = "keybound";
const KEYS: &str = "keys";

/// These say that IndexedDB is not there or takes no keys; any other error says nothing about what it holds.
const REFUSALS: [&str; 6] = [
    "SecurityError",
    "InvalidStateError",
    "NotSupportedError",
    "NotAllowedError",
    "DataCloneError",
    "QuotaExceededError",
];

/// Milliseconds that a store may take: another tab can block IndexedDB.
const PATIENCE: u32 = 20_000;

/// Why IndexedDB gave nothing.
enum Failure {
    /// It is not there, or takes no keys.
    Refused,
    /// It is not known what it holds.
    Failed(Error),
}

impl From<KeyPairError> for Failure {
    fn from(error: KeyPairError) -> Self {
        Self::Failed(error.into())
    }
}

std::thread_local! {
    static MEMORY: RefCell<BTreeMap<String, KeyPair>> = const { RefCell::new(BTreeMap::new()) };
}

/// The pair called `name`, made if there is none yet.
pub(super) async fn obtain(name: &str, algorithm: Algorithm) -> Result<(KeyPair, Storage), Error> {
    if let Some(pair) = MEMORY.with_borrow(|held| held.get(name).cloned()) {
        return Ok((pair, Storage::Memory));
    }
    match within(PATIENCE, persistent(name, algorithm)).await.ok_or_else(too_late)? {
        Ok(pair) => Ok((pair, Storage::Persistent)),
        // No other key is made then: there may be one.
        Err(Failure::Failed(error)) => Err(error),
        Err(Failure::Refused) => {
            let made = KeyPair::generate(algorithm).await?;
            // Whoever came first while this one was being made.
            let pair = MEMORY.with_borrow_mut(|held| held.entry(name.into()).or_insert(made).clone());
            Ok((pair, Storage::Memory))
        }
    }
}

/// The pair called `name`, if there is one.
pub(super) async fn find(name: &str, algorithm: Algorithm) -> Result<Option<(KeyPair, Storage)>, Error> {
    if let Some(pair) = MEMORY.with_borrow(|held| held.get(name).cloned()) {
        return Ok(Some((pair, Storage::Memory)));
    }
    let work = async {
        match read(name).await? {
            Some(stored) => pair_of(&stored, algorithm).await.map(Some),
            None => Ok(None),
        }
    };
    match within(PATIENCE, work).await.ok_or_else(too_late)? {
        Ok(found) => Ok(found.map(|pair| (pair, Storage::Persistent))),
        Err(Failure::Refused) => Ok(None),
        Err(Failure::Failed(error)) => Err(error),
    }
}

/// Forgets the pair called `name`.
pub(super) async fn forget(name: &str) -> Result<(), Error> {
    if MEMORY.with_borrow_mut(|held| held.remove(name)).is_some() {
        return Ok(());
    }
    let work = async {
        let (transaction, keys) = open_keys(IdbTransactionMode::Readwrite).await?;
        keys.delete(&name.into())?;
        completed(&transaction).await
    };
    within(PATIENCE, work).await.ok_or_else(too_late)?.map_err(Error::Storage)
}

async fn persistent(name: &str, algorithm: Algorithm) -> Result<KeyPair, Failure> {
    let stored = match read(name).await? {
        Some(stored) => stored,
        None => {
            let made = KeyPair::generate(algorithm).await?;
            add(name, &made).await.map_err(refused_or)?
        }
    };
    pair_of(&stored, algorithm).await
}

async fn pair_of(stored: &JsValue, algorithm: Algorithm) -> Result<KeyPair, Failure> {
    let half =
        |name: &str| Reflect::get(stored, &name.into()).map(JsValue::unchecked_into::<CryptoKey>).map_err(failed);
    let (private, public) = (half("privateKey")?, half("publicKey")?);
    // A key keeps the algorithm it was made for, whatever is wanted now; of the two names of
    // Ed25519 it is the wanted one (RFC 9864 §2.2).
    let others = Algorithm::ALL.into_iter().filter(|other| *other != algorithm);
    for candidate in core::iter::once(algorithm).chain(others) {
        match KeyPair::from_crypto_keys(private.clone(), public.clone(), candidate).await {
            Err(KeyPairError::NotAPair) => {}
            outcome => return Ok(outcome?),
        }
    }
    Err(KeyPairError::NotAPair.into())
}

async fn read(name: &str) -> Result<Option<JsValue>, Failure> {
    let (transaction, keys) = open_keys(IdbTransactionMode::Readonly).await.map_err(refused_or)?;
    let work = async {
        let request = keys.get(&name.into())?;
        completed(&transaction).await?;
        request.result()
    };
    // A read that fails says nothing of what is stored: no other key may be made because of it.
    let stored = work.await.map_err(failed)?;
    Ok(Some(stored).filter(JsValue::is_object))
}

/// Inserts if absent, in one transaction, and returns what is stored.
async fn add(name: &str, pair: &KeyPair) -> Result<JsValue, JsValue> {
    let value = Object::new();
    Reflect::set(&value, &"privateKey".into(), pair.private_crypto_key())?;
    Reflect::set(&value, &"publicKey".into(), pair.public_crypto_key())?;
    Reflect::set(&value, &"at".into(), &Date::now().into())?;

    let (transaction, keys) = open_keys(IdbTransactionMode::Readwrite).await?;
    let added = keys.add_with_key(&value, &name.into())?;
    // Another tab was faster: that is no reason to give up the transaction, whose read then finds it.
    let taken = Closure::<dyn FnMut(Event)>::new(|event: Event| {
        event.prevent_default();
        event.stop_propagation();
    });
    added.set_onerror(Some(taken.as_ref().unchecked_ref()));
    let stored = keys.get(&name.into())?;
    completed(&transaction).await?;
    stored.result()
}

async fn open_keys(mode: IdbTransactionMode) -> Result<(IdbTransaction, IdbObjectStore), JsValue> {
    let factory = Reflect::get(&global(), &"indexedDB".into())?;
    if !factory.is_object() {
        return Err(refusal());
    }
    // Whatever its version: one that a newer release made still has the keys.
    let request = factory.unchecked_into::<IdbFactory>().open(DATABASE)?;
    let upgraded = request.clone();
    let upgrade = Closure::<dyn FnMut(Event)>::new(move |_: Event| {
        if let Ok(database) = upgraded.result() {
            // A failure aborts the upgrade, and with it the request.
            let _ = database.unchecked_into::<IdbDatabase>().create_object_store(KEYS);
        }
    });
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    let database: IdbDatabase = opened(&request).await?.unchecked_into();
    let transaction = database.transaction_with_str_and_mode(KEYS, mode)?;
    // Closed once its transactions are over: it never stands in the way of an upgrade.
    database.close();
    let keys = transaction.object_store(KEYS)?;
    Ok((transaction, keys))
}

async fn opened(request: &IdbOpenDbRequest) -> Result<JsValue, JsValue> {
    let settled = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    match JsFuture::from(settled).await {
        Ok(_) => request.result(),
        Err(event) => Err(request.error().ok().flatten().map_or(event, Into::into)),
    }
}

async fn completed(transaction: &IdbTransaction) -> Result<(), JsValue> {
    let settled = Promise::new(&mut |resolve, reject| {
        transaction.set_oncomplete(Some(&resolve));
        transaction.set_onabort(Some(&reject));
    });
    match JsFuture::from(settled).await {
        Ok(_) => Ok(()),
        Err(event) => Err(transaction.error().map_or(event, Into::into)),
    }
}

fn refusal() -> JsValue {
    let error = js_sys::Error::new("there is no IndexedDB");
    error.set_name("NotSupportedError");
    error.into()
}

fn refused_or(error: JsValue) -> Failure {
    let name = Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
    if name.is_some_and(|name| REFUSALS.contains(&name.as_str())) { Failure::Refused } else { failed(error) }
}

fn failed(error: JsValue) -> Failure {
    Failure::Failed(Error::Storage(error))
}

fn too_late() -> Error {
    Error::Storage(js_sys::Error::new("no answer in time").into())
}
