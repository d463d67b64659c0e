//! What Web Cryptography calls the algorithms (Web Cryptography Level 2 §20-§26).

use js_sys::{JSON, Object, Reflect, Uint8Array};
use keybound_core::algorithm::Algorithm;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::CryptoKey;

use crate::subtle::{member, text_member};

/// The parameters of `importKey`. JSON, because one call makes the object of it.
const fn key_parameters_json(algorithm: Algorithm) -> Option<&'static str> {
    Some(match algorithm {
        Algorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256"}"#,
        Algorithm::Es384 => r#"{"name":"ECDSA","namedCurve":"P-384"}"#,
        Algorithm::Es512 => r#"{"name":"ECDSA","namedCurve":"P-521"}"#,
        Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256","modulusLength":2048}"#,
        Algorithm::Ps256 => r#"{"name":"RSA-PSS","hash":"SHA-256","modulusLength":2048}"#,
        Algorithm::EdDsa | Algorithm::Ed25519 => r#"{"name":"Ed25519"}"#,
        _ => return None,
    })
}

const fn signature_parameters_json(algorithm: Algorithm) -> Option<&'static str> {
    Some(match algorithm {
        Algorithm::Es256 => r#"{"name":"ECDSA","hash":"SHA-256"}"#,
        Algorithm::Es384 => r#"{"name":"ECDSA","hash":"SHA-384"}"#,
        Algorithm::Es512 => r#"{"name":"ECDSA","hash":"SHA-512"}"#,
        Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5"}"#,
        // RFC 7518 §3.5: a salt as long as the hash.
        Algorithm::Ps256 => r#"{"name":"RSA-PSS","saltLength":32}"#,
        Algorithm::EdDsa | Algorithm::Ed25519 => r#"{"name":"Ed25519"}"#,
        _ => return None,
    })
}

fn parse(json: &str) -> Option<Object> {
    JSON::parse(json).ok()?.dyn_into().ok()
}

/// The parameters of `importKey`; of `generateKey` too, except for RSA's exponent.
pub(crate) fn key_parameters(algorithm: Algorithm) -> Option<Object> {
    parse(key_parameters_json(algorithm)?)
}

/// The parameters of `generateKey`. RSA keys get 2048 bits (RFC 7518 §3.3) and the exponent 65537.
pub(crate) fn generation_parameters(algorithm: Algorithm) -> Option<Object> {
    let parameters = key_parameters(algorithm)?;
    if matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256) {
        let exponent = Uint8Array::from([1, 0, 1].as_slice());
        Reflect::set(&parameters, &JsValue::from_str("publicExponent"), &exponent).ok()?;
    }
    Some(parameters)
}

/// The parameters of `sign` and `verify`.
pub(crate) fn signature_parameters(algorithm: Algorithm) -> Option<Object> {
    parse(signature_parameters_json(algorithm)?)
}

/// The algorithm that a `CryptoKey` was made for, by the name that RFC 9864 prefers.
pub(crate) fn algorithm_of(key: &CryptoKey) -> Option<Algorithm> {
    let parameters = member(key, "algorithm")?;
    let name = text_member(&parameters, "name")?;
    match name.as_str() {
        "ECDSA" => match text_member(&parameters, "namedCurve")?.as_str() {
            "P-256" => Some(Algorithm::Es256),
            "P-384" => Some(Algorithm::Es384),
            "P-521" => Some(Algorithm::Es512),
            _ => None,
        },
        "RSASSA-PKCS1-v1_5" | "RSA-PSS" => {
            let hash = text_member(&member(&parameters, "hash")?, "name")?;
            match (hash.as_str(), name.as_str()) {
                ("SHA-256", "RSA-PSS") => Some(Algorithm::Ps256),
                ("SHA-256", _) => Some(Algorithm::Rs256),
                _ => None,
            }
        }
        "Ed25519" => Some(Algorithm::Ed25519),
        _ => None,
    }
}
