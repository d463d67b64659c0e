//! `huskarl-resource-server`: the whole decision with its RFC 9068 validator, by default on `p256`, or on the AWS-LC that
//! keybound has as well.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri};
use huskarl_resource_server::{
    DefaultJwsVerifierPlatform,
    core::{
        Error,
        crypto::{
            KeyMatchStrength,
            verifier::{CreateVerifierError, JwsVerifier, JwsVerifierPlatform, KeyMatch, VerifyError},
        },
        error::RetryAdvice,
        http::{HttpClient, HttpResponse, Idempotency},
        jwk::{JwksSource, PublicJwk, PublicKey as HuskarlKey},
        jwt::JtiUniquenessChecker,
        platform::MaybeSendBoxFuture,
    },
    validator::rfc9068::Rfc9068Validator,
};
use keybound_aws_lc::PreparedKey;
use keybound_core::{
    algorithm::{Algorithm, KeyType},
    key::{KeyParts, PublicKey},
};

use crate::{
    Work,
    material::{AUDIENCE, ISSUER, Material, Request, URL},
    now::finished,
};

#[derive(Clone, Copy)]
pub enum Backend {
    Default,
    AwsLc,
}

/// The issuer's keys, fetched from memory.
struct Keys(String);

impl HttpClient for Keys {
    fn execute(&self, _: http::Request<Bytes>, _: Idempotency) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        let body = Bytes::from(self.0.clone());
        Box::pin(async move { Ok(HttpResponse { status: http::StatusCode::OK, headers: HeaderMap::new(), body }) })
    }
}

#[derive(Debug, Default)]
struct Seen(Mutex<HashSet<String>>);

impl JtiUniquenessChecker for Seen {
    fn check_and_mark_seen(&self, jti: &str) -> MaybeSendBoxFuture<'_, Result<bool, Error>> {
        let is_new = self.0.lock().is_ok_and(|mut seen| seen.insert(jti.to_owned()));
        Box::pin(async move { Ok(!is_new) })
    }
}

/// ES256 on AWS-LC, with keys imported once a verifier as its own platform does.
#[derive(Debug)]
struct AwsLcPlatform;

#[derive(Debug)]
struct AwsLcVerifier(PreparedKey, Option<String>);

impl JwsVerifierPlatform for AwsLcPlatform {
    fn create_verifier_from_jwk(
        &self,
        jwk: PublicJwk,
    ) -> MaybeSendBoxFuture<'static, Result<Arc<dyn JwsVerifier>, CreateVerifierError>> {
        let key = match &jwk.key {
            HuskarlKey::Ec(key) if key.crv == "P-256" => {
                PublicKey::from_parts(KeyParts::Ec { key_type: KeyType::P256, x: &key.x, y: &key.y }).ok()
            }
            _ => None,
        };
        let key = key.and_then(|key| PreparedKey::import(&key).ok());
        Box::pin(async move {
            let unsupported =
                || CreateVerifierError::UnsupportedKey { source: Error::new(RetryAdvice::No, "no P-256") };
            let key = key.ok_or_else(unsupported)?;
            Ok(Arc::new(AwsLcVerifier(key, jwk.kid)) as Arc<dyn JwsVerifier>)
        })
    }

    fn supported_signature_algorithms(&self) -> &[&str] {
        &["ES256"]
    }
}

impl JwsVerifier for AwsLcVerifier {
    fn key_match(&self, key_match: &KeyMatch<'_>) -> Option<KeyMatchStrength> {
        key_match.strength_for(&["ES256"], self.1.as_deref())
    }

    fn verify<'a>(
        &'a self,
        input: &'a [u8],
        signature: &'a [u8],
        _: &'a KeyMatch<'a>,
    ) -> MaybeSendBoxFuture<'a, Result<(), VerifyError>> {
        let verified = self.0.verify(Algorithm::Es256, input, signature);
        Box::pin(async move { verified.map_err(|_| VerifyError::SignatureMismatch) })
    }
}

struct Server {
    validator: Rfc9068Validator,
    uri: Uri,
}

impl Server {
    fn new(material: &Material, backend: Backend) -> Self {
        let platform: Arc<dyn JwsVerifierPlatform> = match backend {
            Backend::Default => DefaultJwsVerifierPlatform::default().into(),
            Backend::AwsLc => Arc::new(AwsLcPlatform),
        };
        let keys = JwksSource::builder().http_client(Keys(material.jwks.to_string())).build();
        let validator = Rfc9068Validator::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .require_dpop(true)
            .max_dpop_proof_age(Duration::from_secs(300))
            .jwks_uri(format!("{ISSUER}/keys").parse().expect("a URL"))
            .jws_verifier_factory(keys)
            .jws_verifier_platform(platform)
            .dpop_jti_checker(Seen::default())
            .build();
        let validator = finished(validator).expect("a good configuration");
        Self { validator, uri: URL.parse().expect("a URL") }
    }

    fn accepts(&self, headers: &HeaderMap) -> bool {
        let result = finished(self.validator.validate_request(headers, &Method::GET, &self.uri, None));
        matches!(result.outcome, Ok(Some(_)))
    }
}

fn headers(Request(token, proof): &Request) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_str(text).expect("a field's value");
    [("authorization", value(&format!("DPoP {token}"))), ("dpop", value(proof))]
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value))
        .collect()
}

pub fn decides<'a>(material: &Material, requests: &[Request], backend: Backend) -> Work<'a> {
    let server = Server::new(material, backend);
    let known = &material.known[0];
    for (what, request) in known.tampered(&material.key[0]) {
        assert!(!server.accepts(&headers(&request)), "huskarl-resource-server accepts {what}");
    }
    // A proof whose binding fails has its `jti` burnt there already, so another request of the same client.
    let other = &material.known[1];
    assert!(server.accepts(&headers(other)) && !server.accepts(&headers(other)), "it accepts a request once");
    let requests: Vec<_> = requests.iter().map(headers).collect();
    Box::new(move |index| assert!(server.accepts(&requests[index]), "huskarl-resource-server refuses a good request"))
}
