//! SubtleCrypto wherever this runs, and what its errors mean.

use alloc::string::String;

use js_sys::{Array, Promise, Reflect, futures::JsFuture, global};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::SubtleCrypto;

/// Why SubtleCrypto did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no SubtleCrypto: no secure context, or an engine without it.
    NoSubtleCrypto,
    /// It does not know the algorithm.
    UnsupportedAlgorithm,
    /// It knows it, and refused these inputs.
    Refused,
}

/// `crypto.subtle` of the global object: pages, workers of all kinds, Node and workerd have it there.
pub(crate) fn subtle() -> Result<SubtleCrypto, Failure> {
    // Outside of WebAssembly js-sys has nothing to call and would panic.
    if !cfg!(target_family = "wasm") {
        return Err(Failure::NoSubtleCrypto);
    }
    member(&global(), "crypto")
        .and_then(|crypto| member(&crypto, "subtle"))
        .map(JsValue::unchecked_into)
        .ok_or(Failure::NoSubtleCrypto)
}

/// A member that is there and is an object.
pub(crate) fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).ok().filter(JsValue::is_object)
}

/// A member that is there and is a string.
pub(crate) fn text_member(object: &JsValue, name: &str) -> Option<String> {
    Reflect::get(object, &JsValue::from_str(name)).ok()?.as_string()
}

/// Awaits what a method of SubtleCrypto returned. Some engines throw instead of rejecting.
pub(crate) async fn settled(call: Result<Promise, JsValue>) -> Result<JsValue, Failure> {
    match call {
        Ok(promise) => JsFuture::from(promise).await.map_err(|error| failure(&error)),
        Err(error) => Err(failure(&error)),
    }
}

/// Web Cryptography Level 2 §18.4.4 reports an unknown algorithm as NotSupportedError. A TypeError or
/// SyntaxError comes from an engine that lacks the method, a key format or a usage.
fn failure(error: &JsValue) -> Failure {
    match text_member(error, "name").as_deref() {
        Some("NotSupportedError" | "TypeError" | "SyntaxError") => Failure::UnsupportedAlgorithm,
        _ => Failure::Refused,
    }
}

/// A list of key usages.
pub(crate) fn usages(names: &[&str]) -> Array {
    names.iter().map(|name| JsValue::from_str(name)).collect()
}
