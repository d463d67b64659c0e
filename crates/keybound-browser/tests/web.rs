//! The Rust client in a browser: run by `wasm-pack test`, in a window or in a worker.
#![cfg(all(target_family = "wasm", feature = "web"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod server;

use std::cell::RefCell;

use js_sys::{Reflect, futures::JsFuture};
use keybound_browser::{BoundToken, Client, DpopKey, Error, Proof, Storage, TokenSource};
use keybound_core::{
    algorithm::Algorithm,
    base64url,
    client::{ClientError, Policy},
    json::{Object, Value},
    proof::build::{BuildError, Claim},
};
use keybound_webcrypto::{ImportedKey, KeyPairError};
use server::{Server, challenge};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Request, RequestInit};

const API: &str = "https://api.example";

fn claim(proof: &str, name: &str) -> Option<String> {
    let payload = base64url::decode(proof.split('.').nth(1)?).ok()?;
    let object = Object::parse(&payload).ok()?;
    match object.get(name)? {
        Value::String(text) => Some(text.to_string()),
        Value::Number(text) => Some((*text).to_owned()),
        _ => None,
    }
}

fn get(path: &str) -> Request {
    Request::new_with_str(&format!("{API}{path}")).unwrap()
}

fn post(path: &str, body: &str) -> Request {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&body.into());
    Request::new_with_str_and_init(&format!("{API}{path}"), &init).unwrap()
}

async fn client(name: &str) -> Client<BoundToken> {
    let key = DpopKey::open(name).await.unwrap();
    Client::resource_server(key, [API], BoundToken::new("token-1")).unwrap()
}

#[wasm_bindgen_test]
async fn a_key_signs_and_cannot_be_read() {
    let key = DpopKey::open("signs").await.unwrap();
    assert_eq!(key.algorithm(), Algorithm::Es256);
    assert_eq!(key.storage(), Storage::Persistent);
    assert!(!key.pair().private_crypto_key().extractable());
    let proof = key
        .proof(Proof {
            access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            nonce: Some("n-1"),
            claims: &[Claim { name: "more", json: "\"x\"" }],
            ..Proof::new("GET", "https://u:p@API.example:443/items?page=2#top")
        })
        .await
        .unwrap();
    assert_eq!(claim(&proof, "htu").as_deref(), Some("https://api.example/items"));
    // RFC 9449 §7.1, figure 12's token.
    assert_eq!(claim(&proof, "ath").as_deref(), Some("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"));
    assert_eq!((claim(&proof, "nonce").as_deref(), claim(&proof, "more").as_deref()), (Some("n-1"), Some("x")));

    let (input, signature) = proof.rsplit_once('.').unwrap();
    let imported = ImportedKey::import(key.public_key(), Algorithm::Es256).await.unwrap();
    imported.verify(input.as_bytes(), &base64url::decode(signature).unwrap()).await.unwrap();
}

#[wasm_bindgen_test]
async fn many_that_open_a_key_at_once_get_one() {
    let opens = (0..8).map(|_| DpopKey::open("contested"));
    let mut thumbprints: Vec<String> = Vec::new();
    for key in join_all(opens).await {
        thumbprints.push(key.unwrap().thumbprint());
    }
    thumbprints.dedup();
    assert_eq!(thumbprints.len(), 1);
    assert_eq!(DpopKey::open("contested").await.unwrap().thumbprint(), thumbprints[0]);
}

#[wasm_bindgen_test]
async fn a_key_keeps_its_algorithm() {
    let made = DpopKey::open_with("p384", Algorithm::Es384).await.unwrap();
    let found = DpopKey::open_with("p384", Algorithm::Es256).await.unwrap();
    assert_eq!((found.algorithm(), found.thumbprint()), (Algorithm::Es384, made.thumbprint()));
}

#[wasm_bindgen_test]
async fn a_deleted_key_signs_no_more_and_the_next_is_another() {
    let key = DpopKey::open("deleted").await.unwrap();
    key.delete().await.unwrap();
    assert_eq!(key.proof(Proof::new("GET", API)).await, Err(Error::KeyLost));
    assert_ne!(DpopKey::open("deleted").await.unwrap().thumbprint(), key.thumbprint());
}

#[wasm_bindgen_test]
async fn a_readable_key_is_refused() {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).unwrap();
    let subtle: web_sys::SubtleCrypto = Reflect::get(&crypto, &"subtle".into()).unwrap().unchecked_into();
    let parameters = js_sys::JSON::parse(r#"{"name":"ECDSA","namedCurve":"P-256"}"#).unwrap();
    let usages = js_sys::JSON::parse(r#"["sign","verify"]"#).unwrap();
    let pair = subtle.generate_key_with_object(parameters.unchecked_ref(), true, usages.unchecked_ref()).unwrap();
    let pair = JsFuture::from(pair).await.unwrap();
    let half = |name: &str| Reflect::get(&pair, &name.into()).unwrap().unchecked_into();
    let taken = DpopKey::from_crypto_keys(half("privateKey"), half("publicKey"), Algorithm::Es256).await;
    assert_eq!(taken.err(), Some(Error::Key(KeyPairError::Extractable)));
}

#[wasm_bindgen_test]
async fn what_no_proof_can_say_is_refused() {
    let key = DpopKey::open("refuses").await.unwrap();
    let code = |error: Error| error.code();
    assert_eq!(key.proof(Proof::new("GET", "http://api.example/")).await.map_err(code), Err("invalid_url"));
    assert_eq!(key.proof(Proof::new("GET", "/items")).await.map_err(code), Err("invalid_url"));
    let htm = Claim { name: "htm", json: "\"DELETE\"" };
    let refused = key.proof(Proof { claims: &[htm], ..Proof::new("GET", API) }).await;
    assert_eq!(refused, Err(Error::Client(ClientError::Proof(BuildError::ClaimName))));
}

#[wasm_bindgen_test]
async fn a_nonce_challenge_is_answered_and_the_body_sent_again() {
    let server =
        Server::start(|request| if request.nonce().as_deref() == Some("n1") { (200, vec![]) } else { challenge("n1") });
    let client = client("nonces").await;
    let response = client.send(&post("/items", "kept")).await.unwrap();
    assert_eq!(response.status(), 200);
    // The nonce is known now.
    client.send(&get("/items")).await.unwrap();
    let requests = server.requests().await;
    assert_eq!(
        requests.iter().map(|request| request.nonce()).collect::<Vec<_>>(),
        [None, Some("n1".into()), Some("n1".into())]
    );
    assert_eq!(requests.iter().map(|request| request.body.as_str()).collect::<Vec<_>>(), ["kept", "kept", ""]);
    assert!(
        requests
            .iter()
            .all(|request| request.authorization.as_deref() == Some("DPoP token-1") && request.redirect == "manual")
    );
    assert_eq!(claim(requests[1].proof.as_deref().unwrap(), "htm").as_deref(), Some("POST"));
    assert_ne!(
        claim(requests[0].proof.as_deref().unwrap(), "jti"),
        claim(requests[1].proof.as_deref().unwrap(), "jti")
    );
}

#[wasm_bindgen_test]
async fn a_body_too_large_to_keep_is_not_sent_twice() {
    let server = Server::start(|_| challenge("n1"));
    let client = client("large").await.replayable_body_bytes(3);
    let refused = client.send(&post("/items", "more than three")).await;
    assert_eq!(refused.err(), Some(Error::Client(ClientError::BodyNotReplayable)));
    assert_eq!(server.requests().await.len(), 1);
}

#[wasm_bindgen_test]
async fn other_origins_get_neither_token_nor_proof() {
    let server = Server::start(|_| (200, vec![]));
    let client = client("origins").await;
    client.send(&Request::new_with_str("https://elsewhere.example/").unwrap()).await.unwrap();
    let requests = server.requests().await;
    assert_eq!((requests[0].authorization.as_deref(), requests[0].proof.as_deref()), (None, None));

    let key = DpopKey::open("origins").await.unwrap();
    let strict = Client::new(key, Policy::resource_server([API]).unwrap().strict(true), BoundToken::new("t"));
    let refused = strict.send(&Request::new_with_str("https://elsewhere.example/").unwrap()).await;
    assert_eq!(refused.err(), Some(Error::Client(ClientError::OriginNotAllowed)));
}

struct Refreshing(RefCell<Vec<bool>>);

impl TokenSource for &Refreshing {
    async fn token(&self, stale: bool) -> Option<BoundToken> {
        self.0.borrow_mut().push(stale);
        Some(BoundToken::new(if stale { "token-2" } else { "token-1" }))
    }
}

#[wasm_bindgen_test]
async fn a_refused_token_is_replaced_once() {
    let server = Server::start(|request| {
        if request.authorization.as_deref() == Some("DPoP token-2") {
            (200, vec![])
        } else {
            (401, vec![("www-authenticate".into(), "DPoP error=\"invalid_token\"".into())])
        }
    });
    let source = Refreshing(RefCell::default());
    let key = DpopKey::open("refresh").await.unwrap();
    let client = Client::resource_server(key, [API], &source).unwrap();
    assert_eq!(client.send(&get("/")).await.unwrap().status(), 200);
    assert_eq!(*source.0.borrow(), [false, true]);
    assert_eq!(server.requests().await.len(), 2);
}

#[wasm_bindgen_test]
async fn a_bearer_token_is_discarded() {
    let server = Server::start_with_body(|_| (200, vec![]), r#"{"access_token":"t","token_type":"Bearer"}"#);
    let key = DpopKey::open("downgrade").await.unwrap();
    let client = Client::authorization_server(key, [API]).unwrap();
    let request = post("/token", "grant_type=client_credentials");
    request.headers().set("content-type", "application/x-www-form-urlencoded").unwrap();
    assert_eq!(client.send(&request).await.err(), Some(Error::Client(ClientError::TokenDowngraded)));
    let requests = server.requests().await;
    assert!(requests[0].proof.as_deref().is_some_and(|proof| claim(proof, "ath").is_none()));
    assert!(client.dangerously_accept_bearer(true).send(&request).await.is_ok());
}

/// As `futures::join_all`, enough for here: JavaScript runs what was started.
async fn join_all<F: Future + 'static>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
