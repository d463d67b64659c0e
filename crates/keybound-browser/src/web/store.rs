//! Where keys live: IndexedDB, in the form that the npm package stores them; else memory.

use alloc::{collections::BTreeMap, string::String};
use core::cell::RefCell;

use js_sys::{Object, Promise, Reflect, futures::JsFuture, global};
use keybound_core::algorithm::Algorithm;
use keybound_webcrypto::{KeyPair, KeyPairError};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{
    CryptoKey, Event, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbTransaction, IdbTransactionMode,
};

use super::{Error, Storage};

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

std::thread_local! {
    static MEMORY: RefCell<BTreeMap<String, KeyPair>> = const { RefCell::new(BTreeMap::new()) };
}

/// The pair called `name`, made if there is none yet.
pub(super) async fn obtain(name: &str, algorithm: Algorithm) -> Result<(KeyPair, Storage), Error> {
    if let Some(pair) = MEMORY.with_borrow(|held| held.get(name).cloned()) {
        return Ok((pair, Storage::Memory));
    }
    match persistent(name, algorithm).await {
        Err(Error::Storage(error)) if is_refusal(&error) => {
            let made = KeyPair::generate(algorithm).await?;
            // Whoever came first while this one was being made.
            let pair = MEMORY.with_borrow_mut(|held| held.entry(name.into()).or_insert(made).clone());
            Ok((pair, Storage::Memory))
        }
        outcome => outcome.map(|pair| (pair, Storage::Persistent)),
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
    work.await.map_err(Error::Storage)
}

async fn persistent(name: &str, algorithm: Algorithm) -> Result<KeyPair, Error> {
    let stored = match read(name).await.map_err(Error::Storage)? {
        Some(stored) => stored,
        None => {
            let made = KeyPair::generate(algorithm).await?;
            add(name, &made).await.map_err(Error::Storage)?
        }
    };
    let half = |name: &str| {
        Reflect::get(&stored, &name.into()).map(JsValue::unchecked_into::<CryptoKey>).map_err(Error::Storage)
    };
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

async fn read(name: &str) -> Result<Option<JsValue>, JsValue> {
    let (transaction, keys) = open_keys(IdbTransactionMode::Readonly).await?;
    let request = keys.get(&name.into())?;
    completed(&transaction).await?;
    Ok(Some(request.result()?).filter(JsValue::is_object))
}

/// Inserts if absent, in one transaction, and returns what is stored.
async fn add(name: &str, pair: &KeyPair) -> Result<JsValue, JsValue> {
    let value = Object::new();
    Reflect::set(&value, &"privateKey".into(), pair.private_crypto_key())?;
    Reflect::set(&value, &"publicKey".into(), pair.public_crypto_key())?;

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
    let request = factory.unchecked_into::<IdbFactory>().open_with_u32(DATABASE, 1)?;
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

fn is_refusal(error: &JsValue) -> bool {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    name.is_some_and(|name| REFUSALS.contains(&name.as_str()))
}
