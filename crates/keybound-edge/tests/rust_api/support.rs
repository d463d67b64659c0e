//! An issuer, a client, documents that take their time, and a way to run many futures at once.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use keybound_core::{
    algorithm::Algorithm,
    base64url,
    proof::build::{AccessTokenHash, ProofRequest, ProofTemplate},
    server::{replay::MemoryReplay, request::Request},
    time::Timestamp,
};
use keybound_edge::{
    ResourceServer,
    engine::Config,
    reply::{Field, Rejected},
    resource_server::Accepted,
    surroundings::{Document, Documents, Surroundings, Synchronous, Unavailable},
};
use keybound_rustcrypto::{RustCrypto, SigningKey};

pub const ISSUER: &str = "https://as.example";
pub const AUDIENCE: &str = "https://api.example";
pub const URL: &str = "https://api.example/orders";
pub const NOW: i64 = 1_780_000_000;
pub const VERIFIER: Synchronous<RustCrypto> = Synchronous(RustCrypto);

/// A key pair that signs tokens or proofs.
pub struct Signer {
    key: SigningKey,
    template: ProofTemplate,
    used: Cell<u32>,
}

/// What goes into a proof.
#[derive(Clone, Copy)]
pub struct About<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub token: Option<&'a str>,
    pub nonce: Option<&'a str>,
    pub now: i64,
}

impl Signer {
    pub fn new(octet: u8) -> Self {
        let key = SigningKey::from_secret(&[octet; 32]).unwrap();
        let template = ProofTemplate::new(Algorithm::Es256, key.public_key().clone()).unwrap();
        Self { key, template, used: Cell::new(0) }
    }

    pub fn jkt(&self) -> String {
        self.key.public_key().thumbprint().to_base64url()
    }

    /// Each with a `jti` of its own.
    pub fn proof(&self, about: About<'_>) -> String {
        let ath = about.token.map(|token| AccessTokenHash::of(token).unwrap());
        self.used.set(self.used.get() + 1);
        let mut jti = [0; 16];
        jti[..4].copy_from_slice(&self.used.get().to_be_bytes());
        let request = ProofRequest {
            access_token: ath.as_ref(),
            nonce: about.nonce,
            ..ProofRequest::new(about.method, about.url, about.now, &jti)
        };
        let input = self.template.signing_input(&request).unwrap();
        let signature = self.key.sign(input.as_bytes());
        self.template.finish(input, &signature).unwrap()
    }

    /// A JWT access token (RFC 9068) with these further claims.
    pub fn token(&self, kid: &str, claims: &str) -> String {
        let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}"}}"#);
        let payload = format!(
            r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"ada","client_id":"app","jti":"{claims_len}","iat":{NOW},"exp":{exp},{claims}}}"#,
            claims_len = claims.len(),
            exp = NOW + 100_000,
        );
        let input = [base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes())].join(".");
        let signature = base64url::encode(&self.key.sign(input.as_bytes()));
        [input, signature].join(".")
    }

    pub fn jwks(&self, kid: &str) -> String {
        let jwk = self.key.public_key().to_jwk();
        format!(r#"{{"keys":[{{"kid":"{kid}","alg":"ES256",{}]}}"#, &jwk[1..])
    }
}

/// Documents that are there after some polls, or not at all.
pub struct Library {
    pub texts: RefCell<HashMap<String, String>>,
    /// What every answer says of its age.
    pub fields: RefCell<Document>,
    pub polls: Cell<u32>,
    pub asked: RefCell<Vec<String>>,
}

impl Library {
    /// An issuer's metadata and keys.
    pub fn of(issuer: &Signer) -> Self {
        let metadata = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/keys"}}"#);
        let texts = [
            (format!("{ISSUER}/.well-known/oauth-authorization-server"), metadata),
            (format!("{ISSUER}/keys"), issuer.jwks("k1")),
        ];
        Self {
            texts: RefCell::new(texts.into()),
            fields: RefCell::default(),
            polls: Cell::new(3),
            asked: RefCell::default(),
        }
    }

    pub fn fetches_of_keys(&self) -> usize {
        self.asked.borrow().iter().filter(|url| url.ends_with("/keys")).count()
    }
}

impl Documents for Library {
    async fn get(&self, url: &str) -> Result<Document, Unavailable> {
        self.asked.borrow_mut().push(url.to_owned());
        for _ in 0..self.polls.get() {
            once().await;
        }
        let mut document = self.fields.borrow().clone();
        document.text = self.texts.borrow().get(url).cloned().ok_or(Unavailable)?;
        Ok(document)
    }

    async fn pause(&self, _: u32) {
        once().await;
    }
}

/// Pending once.
async fn once() {
    let mut polled = false;
    std::future::poll_fn(|context| {
        if polled {
            return Poll::Ready(());
        }
        polled = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls all in turn until all are done.
pub fn all<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut slots: Vec<_> = futures.into_iter().map(|future| (Some(future), None)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10_000 {
        for (future, value) in &mut slots {
            if let Some(Poll::Ready(ready)) = future.as_mut().map(|future| future.as_mut().poll(&mut context)) {
                (*future, *value) = (None, Some(ready));
            }
        }
        if slots.iter().all(|(future, _)| future.is_none()) {
            return slots.into_iter().filter_map(|(_, value)| value).collect();
        }
    }
    panic!("a future hangs")
}

/// A server, its issuer, a client, and what surrounds them.
pub struct World {
    pub server: ResourceServer,
    pub issuer: Signer,
    pub client: Signer,
    pub library: Library,
    pub replay: RefCell<MemoryReplay>,
}

impl World {
    pub fn new() -> Self {
        Self::with(Config::for_jwts([ISSUER], [AUDIENCE]))
    }

    pub fn with(config: Config) -> Self {
        let issuer = Signer::new(1);
        let library = Library::of(&issuer);
        Self {
            server: ResourceServer::new(config).unwrap(),
            issuer,
            client: Signer::new(2),
            library,
            replay: RefCell::new(MemoryReplay::new(1000, 1000)),
        }
    }

    pub fn token(&self) -> String {
        self.bound_token("k1")
    }

    pub fn bound_token(&self, kid: &str) -> String {
        self.issuer.token(kid, &format!(r#""cnf":{{"jkt":"{}"}}"#, self.client.jkt()))
    }

    pub fn around(&self, now: i64) -> Surroundings<'_, Synchronous<RustCrypto>, Library, RefCell<MemoryReplay>> {
        Surroundings::new(Timestamp::from_seconds(now), &VERIFIER, &self.library, &self.replay)
    }

    /// A good request with this token at this moment.
    pub async fn ask(&self, token: &str, nonce: Option<&str>, now: i64) -> Result<Accepted, Rejected> {
        let proof = self.client.proof(About { method: "GET", url: URL, token: Some(token), nonce, now });
        self.send(&format!("DPoP {token}"), &[&proof], now).await
    }

    pub async fn send(&self, authorization: &str, dpop: &[&str], now: i64) -> Result<Accepted, Rejected> {
        let request = Request { method: "GET", url: URL, authorization: &[authorization], dpop };
        self.server.authenticate(&request, self.around(now)).await
    }
}

pub fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    let mut values = fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_str());
    values.next()
}
