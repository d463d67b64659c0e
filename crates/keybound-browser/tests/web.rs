//! The Rust client in a browser: run by `wasm-pack test`, in a window or in a worker.
#![cfg(all(target_family = "wasm", feature = "web"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod server;

use std::{cell::RefCell, rc::Rc};

use js_sys::{Reflect, futures::JsFuture};
use keybound_browser::{BoundToken, Client, DpopKey, Error, Event, KeySource, Keyring, Proof, Storage, TokenSource};
use keybound_core::{
    algorithm::Algorithm,
    base64url,
    client::{ClientError, Policy, RetryReason},
    json::{Object, Value},
    proof::build::{BuildError, Claim},
};
use keybound_webcrypto::{ImportedKey, KeyPairError};
use server::{Hurry, Server, StandIn, challenge};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{AbortController, AbortSignal, BroadcastChannel, Request, RequestInit};

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
    let request = token_request();
    assert_eq!(client.send(&request).await.err(), Some(Error::Client(ClientError::TokenDowngraded)));
    let requests = server.requests().await;
    assert!(requests[0].proof.as_deref().is_some_and(|proof| claim(proof, "ath").is_none()));
    assert!(client.dangerously_accept_bearer(true).send(&request).await.is_ok());
}

fn token_request() -> Request {
    let request = post("/token", "grant_type=client_credentials");
    request.headers().set("content-type", "application/x-www-form-urlencoded").unwrap();
    request
}

fn get_until(signal: &AbortSignal) -> Request {
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    Request::new_with_str_and_init(&format!("{API}/"), &init).unwrap()
}

/// What a client tells, and its listener.
fn listening<T: TokenSource, K: KeySource>(client: Client<T, K>) -> (Client<T, K>, Rc<RefCell<Vec<Event>>>) {
    let told: Rc<RefCell<Vec<Event>>> = Rc::default();
    let log = told.clone();
    (client.on_event(move |event| log.borrow_mut().push(event.clone())), told)
}

fn seconds_now() -> i64 {
    (js_sys::Date::now() / 1000.0) as i64
}

fn issued(proof: Option<&str>) -> i64 {
    claim(proof.unwrap(), "iat").unwrap().parse().unwrap()
}

#[wasm_bindgen_test]
async fn many_first_requests_cost_one_challenge() {
    let server =
        Server::start(|request| if request.nonce().as_deref() == Some("n1") { (200, vec![]) } else { challenge("n1") });
    let client = client("parallel").await;
    let sends = (0..6).map(|number| {
        let client = client.clone();
        async move { client.send(&get(&format!("/items/{number}"))).await.unwrap().status() }
    });
    assert_eq!(join_all(sends).await, [200; 6]);
    let requests = server.requests().await;
    assert_eq!(requests.iter().filter(|request| request.nonce().is_none()).count(), 1);
    assert_eq!(requests.len(), 7);
}

#[wasm_bindgen_test]
async fn a_first_request_without_an_answer_holds_the_others_up_for_a_while_only() {
    let _hurry = Hurry::up();
    let asked = Rc::new(RefCell::new(0));
    let count = asked.clone();
    let server = Server::start_silent(
        move |_| {
            *count.borrow_mut() += 1;
            (*count.borrow() > 1).then(|| (200, vec![]))
        },
        "",
    );
    let client = client("silent").await;
    let controller = AbortController::new().unwrap();
    let first = get_until(&controller.signal());
    let sends = (0..3).map(|number| {
        let (client, first, controller) = (client.clone(), Clone::clone(&first), controller.clone());
        async move {
            if number == 0 {
                return client.send(&first).await.map(|response| response.status());
            }
            let outcome = client.send(&get("/")).await.map(|response| response.status());
            controller.abort();
            outcome
        }
    });
    let outcomes = join_all(sends).await;
    assert_eq!(outcomes, [Err(Error::Aborted), Ok(200), Ok(200)]);
    drop(server);
}

#[wasm_bindgen_test]
async fn a_first_request_that_is_given_up_lets_the_others_go() {
    let server = Server::start(|_| (200, vec![]));
    let client = client("given-up").await;
    let request = get("/");
    let mut first = Box::pin(client.send(&request));
    let mut second = Box::pin(client.send(&request));
    // Both are begun, and one is dropped while it signs and the other waits for it.
    std::future::poll_fn(|context| {
        assert!(first.as_mut().poll(context).is_pending());
        assert!(second.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(first);
    let began = js_sys::Date::now();
    assert_eq!(second.await.unwrap().status(), 200);
    assert!(js_sys::Date::now() - began < 2_000.0, "at once, not after the time that a first one has");
    assert_eq!(server.requests().await.len(), 1);
}

/// Somebody who never says who is logged in.
struct Undecided;

impl TokenSource for Undecided {
    async fn token(&self, _stale: bool) -> Option<BoundToken> {
        std::future::pending().await
    }
}

#[wasm_bindgen_test]
async fn an_abort_and_a_time_limit_end_any_wait() {
    let server = Server::start_silent(|_| None, "");
    let undecided = Client::resource_server(DpopKey::open("waits").await.unwrap(), [API], Undecided).unwrap();
    let late = undecided.send(&get_until(&AbortSignal::timeout_with_u32(30))).await;
    assert_eq!(late.as_ref().err(), Some(&Error::TimedOut));
    assert_eq!(late.err().map(|error| error.code()), Some("aborted"));
    let unanswered = client("waits").await.send(&get_until(&AbortSignal::timeout_with_u32(30))).await;
    assert_eq!(unanswered.err(), Some(Error::TimedOut));

    let controller = AbortController::new().unwrap();
    controller.abort();
    let aborted = client("waits").await.send(&get_until(&controller.signal())).await;
    assert_eq!(aborted.err(), Some(Error::Aborted));
    assert_eq!(server.requests().await.len(), 1, "what was aborted before is not sent");
}

#[wasm_bindgen_test]
async fn the_clock_of_a_fresh_token_is_followed() {
    let issued_at = seconds_now() + 1000;
    let claims = base64url::encode(format!("{{\"iat\":{issued_at}}}").as_bytes());
    let answer = format!("{{\"access_token\":\"e30.{claims}.c2ln\",\"token_type\":\"DPoP\"}}");
    let server = Server::start_with_body(|_| (200, vec![]), &answer);
    let key = DpopKey::open("clock").await.unwrap();
    let (client, told) = listening(Client::authorization_server(key.clone(), [API]).unwrap());
    assert_eq!(client.clock_offset(API), None);
    client.send(&token_request()).await.unwrap();
    client.send(&token_request()).await.unwrap();
    let offset = client.clock_offset(API).unwrap();
    assert!((990..=1000).contains(&offset), "{offset}");
    assert_eq!(*told.borrow(), [Event::ClockSkew { seconds: offset }], "once");

    // An API that says nothing of its clock: the issuer's, and what came with the token before that.
    let api = Client::resource_server(key.clone(), [API], BoundToken::new("token-1")).unwrap();
    api.send(&get("/")).await.unwrap();
    let token = BoundToken { clock_offset: Some(-500), ..BoundToken::new("token-1") };
    Client::resource_server(key, [API], token).unwrap().send(&get("/")).await.unwrap();
    let ahead: Vec<i64> =
        server.requests().await.iter().map(|request| issued(request.proof.as_deref()) - seconds_now()).collect();
    for (ahead, expected) in ahead.iter().zip([0, offset, offset, -500]) {
        assert!((expected - 5..=expected + 1).contains(ahead), "{ahead} {expected}");
    }
    assert_eq!(ahead.len(), 4);

    // The issuer's clock is the page's: other tests expect it to be right.
    drop(server);
    let claims = base64url::encode(format!("{{\"iat\":{}}}", seconds_now()).as_bytes());
    let answer = format!("{{\"access_token\":\"e30.{claims}.c2ln\",\"token_type\":\"DPoP\"}}");
    let _server = Server::start_with_body(|_| (200, vec![]), &answer);
    client.send(&token_request()).await.unwrap();
    assert!(client.clock_offset(API).unwrap().abs() <= 10);
}

#[wasm_bindgen_test]
async fn answers_at_one_time_tell_of_one_clock() {
    let date = js_sys::Date::new(&(js_sys::Date::now() - 300_000.0).into()).to_utc_string();
    let date = date.as_string().unwrap();
    let asked = Rc::new(RefCell::new(0));
    let server = Server::start(move |_| {
        *asked.borrow_mut() += 1;
        // The first one is to make the server known.
        if *asked.borrow() == 1 {
            return (200, vec![]);
        }
        (401, vec![("www-authenticate".into(), "DPoP".into()), ("date".into(), date.clone())])
    });
    let (client, told) = listening(client("one-clock").await);
    client.send(&get("/")).await.unwrap();
    let sends = (0..4).map(|_| {
        let client = client.clone();
        async move { client.send(&get("/")).await.unwrap().status() }
    });
    assert_eq!(join_all(sends).await, [401; 4]);
    let offset = client.clock_offset(API).unwrap();
    assert!((-310..=-290).contains(&offset), "{offset}");
    assert_eq!(told.borrow().len(), 1, "{told:?}");
    drop(server);
}

#[wasm_bindgen_test]
async fn the_date_of_a_refusal_is_followed() {
    let date = js_sys::Date::new(&(js_sys::Date::now() - 300_000.0).into()).to_utc_string();
    let date = date.as_string().unwrap();
    let server = Server::start(move |request| {
        let (_, mut fields) = challenge("n1");
        fields.push(("date".into(), date.clone()));
        if request.nonce().is_some() { (200, vec![]) } else { (401, fields) }
    });
    client("dated").await.send(&get("/")).await.unwrap();
    let requests = server.requests().await;
    let behind = issued(requests[0].proof.as_deref()) - issued(requests[1].proof.as_deref());
    assert!((290..=310).contains(&behind), "{behind}");
}

#[wasm_bindgen_test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let long = format!("{{\"token_type\":\"DPoP\",\"access_token\":\"{}\"}}", "a".repeat(1 << 20));
    let _server = Server::start_with_body(|_| (200, vec![]), &long);
    let client = Client::authorization_server(DpopKey::open("endless").await.unwrap(), [API]).unwrap();
    // Nobody looked whether the token is bound.
    assert_eq!(client.send(&token_request()).await.err(), Some(Error::Client(ClientError::TokenDowngraded)));
}

#[wasm_bindgen_test]
async fn an_answer_that_never_ends_is_given_up() {
    let _hurry = Hurry::up();
    let _server = Server::start_endless();
    let client = Client::authorization_server(DpopKey::open("never-ends").await.unwrap(), [API]).unwrap();
    assert_eq!(client.send(&token_request()).await.err(), Some(Error::TimedOut));
}

#[wasm_bindgen_test]
async fn what_happens_is_told() {
    let server = Server::start(|request| match (request.nonce(), request.authorization.as_deref()) {
        (None, _) => challenge("n1"),
        (_, Some("DPoP token-2")) => (200, vec![]),
        _ => (401, vec![("www-authenticate".into(), "DPoP error=\"invalid_token\"".into())]),
    });
    let source = Refreshing(RefCell::default());
    let key = DpopKey::open("told").await.unwrap();
    let (client, told) = listening(Client::resource_server(key.clone(), [API], &source).unwrap());
    client.prime_nonce(&format!("{API}/")).await.unwrap();
    key.delete().await.unwrap();
    assert_eq!(client.send(&get("/")).await.err(), Some(Error::KeyLost));
    let url = || format!("{API}/");
    assert_eq!(
        *told.borrow(),
        [
            Event::Retry { reason: RetryReason::UseDpopNonce, url: url() },
            Event::Retry { reason: RetryReason::InvalidToken, url: url() },
            Event::KeyLost { name: "told".into() },
        ]
    );
    let requests = server.requests().await;
    assert_eq!(claim(requests[0].proof.as_deref().unwrap(), "htm").as_deref(), Some("HEAD"));
    assert_eq!(requests.len(), 3);
}

#[wasm_bindgen_test]
async fn an_old_key_serves_its_token_until_it_is_retired() {
    let server = Server::start(|_| (200, vec![]));
    let [old, new] = [DpopKey::open("ring-1").await.unwrap(), DpopKey::open("ring-2").await.unwrap()];
    let keys = Keyring::new(old.clone());
    let token = |key: &DpopKey| BoundToken { thumbprint: Some(key.thumbprint()), ..BoundToken::new("token") };
    let with_old = Client::resource_server(keys.clone(), [API], token(&old)).unwrap();
    let with_new = Client::resource_server(keys.clone(), [API], token(&new)).unwrap();
    let mismatch = Some(Error::Client(ClientError::TokenKeyMismatch));
    assert_eq!(with_new.send(&get("/")).await.err(), mismatch, "nobody knows that key yet");
    assert_eq!(keys.rotate(new.clone()).thumbprint(), old.thumbprint());
    assert_eq!(keys.current().thumbprint(), new.thumbprint());
    with_old.send(&get("/old")).await.unwrap();
    with_new.send(&get("/new")).await.unwrap();
    keys.retire(&old);
    assert_eq!(with_old.send(&get("/")).await.err(), mismatch);

    for (request, key) in server.requests().await.iter().zip([&old, &new]) {
        let (input, signature) = request.proof.as_deref().unwrap().rsplit_once('.').unwrap();
        let imported = ImportedKey::import(key.public_key(), Algorithm::Es256).await.unwrap();
        imported.verify(input.as_bytes(), &base64url::decode(signature).unwrap()).await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_key_that_is_deleted_elsewhere_signs_no_more() {
    let [one, other] = [DpopKey::open("shared").await.unwrap(), DpopKey::open("shared").await.unwrap()];
    let another = DpopKey::open("not-shared").await.unwrap();
    assert!(!other.is_lost());
    one.delete().await.unwrap();
    assert!(one.is_lost() && other.is_lost() && !another.is_lost());
    let again = DpopKey::open("shared").await.unwrap();
    assert!(!again.is_lost(), "the next one of that name is another");

    // As another tab tells it, also one with the npm package.
    let tab = BroadcastChannel::new("keybound").unwrap();
    let tell = |thumbprint: &str| {
        let message = format!("{{\"name\":\"shared\",\"thumbprint\":\"{thumbprint}\"}}");
        tab.post_message(&js_sys::JSON::parse(&message).unwrap()).unwrap();
    };
    tell(&one.thumbprint());
    tell("nonsense");
    tab.post_message(&JsValue::NULL).unwrap();
    pause(50).await;
    assert!(!again.is_lost());
    tell(&again.thumbprint());
    for _ in 0..100 {
        if again.is_lost() {
            break;
        }
        pause(10).await;
    }
    assert_eq!(again.proof(Proof::new("GET", API)).await, Err(Error::KeyLost));
    tab.close();
}

#[wasm_bindgen_test]
async fn other_tabs_hear_of_a_deletion() {
    let heard: Rc<RefCell<Vec<String>>> = Rc::default();
    let log = heard.clone();
    let tab = BroadcastChannel::new("keybound").unwrap();
    let listener = Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
        log.borrow_mut().push(js_sys::JSON::stringify(&event.data()).unwrap().into());
    });
    tab.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    let key = DpopKey::open("announced").await.unwrap();
    key.delete().await.unwrap();
    let expected = format!("{{\"name\":\"announced\",\"thumbprint\":\"{}\"}}", key.thumbprint());
    for _ in 0..100 {
        if heard.borrow().contains(&expected) {
            break;
        }
        pause(10).await;
    }
    assert!(heard.borrow().contains(&expected), "{heard:?}");
    tab.close();
}

#[wasm_bindgen_test]
async fn the_key_of_a_token_is_found_or_lost_and_never_made() {
    let key = DpopKey::open_with("bound", Algorithm::Es384).await.unwrap();
    let found = DpopKey::open_bound("bound", &key.thumbprint()).await.unwrap();
    assert_eq!((found.thumbprint(), found.algorithm()), (key.thumbprint(), Algorithm::Es384));
    assert_eq!(DpopKey::open_bound("bound", "another").await.err(), Some(Error::KeyLost));
    key.delete().await.unwrap();
    for _ in 0..2 {
        assert_eq!(DpopKey::open_bound("bound", &key.thumbprint()).await.err(), Some(Error::KeyLost));
    }
}

/// An `indexedDB` whose `open` does this.
fn instead_of_indexed_db(open: &Closure<dyn FnMut() -> JsValue>) -> StandIn {
    let factory = js_sys::Object::new();
    Reflect::set(&factory, &"open".into(), open.as_ref()).unwrap();
    StandIn::put("indexedDB", &factory)
}

#[wasm_bindgen_test]
async fn where_nothing_is_stored_the_key_lives_in_memory_and_says_so() {
    let none = StandIn::put("indexedDB", &JsValue::UNDEFINED);
    let key = DpopKey::open("refused").await.unwrap();
    assert_eq!(key.storage(), Storage::Memory);
    assert_eq!(DpopKey::open("refused").await.unwrap().thumbprint(), key.thumbprint());
    drop(none);
    assert_eq!(DpopKey::open("refused").await.unwrap().thumbprint(), key.thumbprint(), "as long as the page lives");
    key.delete().await.unwrap();
    assert_eq!(DpopKey::open("refused").await.unwrap().storage(), Storage::Persistent);
}

#[wasm_bindgen_test]
async fn a_store_that_gives_no_answer_is_given_up_and_no_other_key_made() {
    let hanging = Closure::<dyn FnMut() -> JsValue>::new(|| js_sys::Object::new().into());
    let key = DpopKey::open("hanging").await.unwrap();
    {
        let (_hurry, _blocked) = (Hurry::up(), instead_of_indexed_db(&hanging));
        let failed = DpopKey::open("hanging").await.err().unwrap();
        assert_eq!(failed.code(), "storage_failed");
        assert!(failed.to_string().contains("no answer in time"), "{failed}");
        assert_eq!(key.delete().await.map_err(|error| error.code()), Err("storage_failed"));
    }
    assert!(!key.is_lost());
    assert_eq!(DpopKey::open("hanging").await.unwrap().thumbprint(), key.thumbprint());
}

async fn pause(milliseconds: i32) {
    let timer = js_sys::Promise::new(&mut |resolve, _| {
        let set: js_sys::Function = Reflect::get(&js_sys::global(), &"setTimeout".into()).unwrap().unchecked_into();
        set.call2(&JsValue::UNDEFINED, &resolve, &milliseconds.into()).unwrap();
    });
    JsFuture::from(timer).await.unwrap();
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
