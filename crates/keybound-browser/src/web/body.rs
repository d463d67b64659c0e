//! Bodies, of which no more is read than is of use.

use alloc::vec::Vec;

use js_sys::{Promise, Reflect, Uint8Array, futures::JsFuture, futures::spawn_local};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Request, Response};

/// The body of an answer, if it has at most `cap` octets.
pub(super) async fn of_response(response: &Response, cap: u32) -> Result<Option<Vec<u8>>, JsValue> {
    match response.body() {
        Some(stream) => at_most(&stream, cap).await,
        None => whole(response.array_buffer()?.unchecked_into(), cap).await,
    }
}

/// The body of a request, if it has at most `cap` octets.
pub(super) async fn of_request(request: &Request, cap: u32) -> Result<Option<Vec<u8>>, JsValue> {
    // Not every engine shows `Request.body`; then only reading all of it tells.
    match Reflect::get(request, &"body".into())?.dyn_into::<ReadableStream>() {
        Ok(stream) => at_most(&stream, cap).await,
        Err(hidden) if hidden.is_null() => Ok(Some(Vec::new())),
        Err(_) => whole(request.array_buffer()?.unchecked_into(), cap).await,
    }
}

/// Nobody reads it any more: the connection is free again.
pub(super) fn discard(response: Option<&Response>) {
    if let Some(stream) = response.and_then(Response::body) {
        forget(stream.cancel().unchecked_into());
    }
}

async fn whole(octets: Promise, cap: u32) -> Result<Option<Vec<u8>>, JsValue> {
    let octets = Uint8Array::new(&JsFuture::from(octets).await?);
    Ok((octets.length() <= cap).then(|| octets.to_vec()))
}

async fn at_most(stream: &ReadableStream, cap: u32) -> Result<Option<Vec<u8>>, JsValue> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut octets = Vec::new();
    loop {
        let chunk: JsValue = JsFuture::from(reader.read().unchecked_into::<Promise>()).await?;
        if Reflect::get(&chunk, &"done".into())?.is_truthy() {
            return Ok(Some(octets));
        }
        let value: Uint8Array = Reflect::get(&chunk, &"value".into())?.dyn_into()?;
        let size = u64::from(value.length()).saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
        if size > u64::from(cap) {
            forget(reader.cancel().unchecked_into());
            return Ok(None);
        }
        octets.extend_from_slice(&value.to_vec());
    }
}

/// Lets a promise end by itself; that it fails is nobody's trouble.
fn forget(promise: Promise) {
    spawn_local(async move {
        let _ = JsFuture::from(promise).await;
    });
}
