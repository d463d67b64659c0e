//! Issuers' documents through the worker's own `fetch`.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use ::worker::{
    AbortSignal, Date, DateInit, Delay, Fetch, Headers, Request, RequestInit, RequestRedirect, Response, ResponseBody,
    web_sys,
};
use futures_util::TryStreamExt;

use crate::surroundings::{Document, Documents, Unavailable};

/// Milliseconds that a document may take.
const PATIENCE: u32 = 5_000;
/// Octets of a document that are read.
const MAX_DOCUMENT: usize = 1 << 20;

/// Fetches with the worker's `fetch`: no redirects, five seconds, a megabyte.
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkerFetch;

impl Documents for WorkerFetch {
    async fn get(&self, url: &str) -> Result<Document, Unavailable> {
        let response = send(url).await.map_err(|_| Unavailable)?;
        if response.status_code() != 200 {
            return Err(Unavailable);
        }
        let field = |name| response.headers().get(name).ok().flatten();
        let (cache_control, age) = (field("cache-control"), field("age"));
        // An `Expires` that is no date has passed (RFC 9111 §5.3).
        let expires = field("expires").map(|date| seconds_of(date).unwrap_or(0));
        let date = field("date").and_then(seconds_of);
        let text = String::from_utf8(read(response).await?).map_err(|_| Unavailable)?;
        Ok(Document { cache_control, age, expires, date, ..Document::new(text) })
    }

    async fn pause(&self, milliseconds: u32) {
        Delay::from(Duration::from_millis(u64::from(milliseconds))).await;
    }
}

/// Seconds since the epoch of a date in a field (RFC 9110 §5.6.7).
fn seconds_of(date: String) -> Option<i64> {
    // What is no date becomes zero.
    let milliseconds = Date::new(DateInit::String(date)).as_millis();
    i64::try_from(milliseconds / 1000).ok().filter(|seconds| *seconds != 0)
}

async fn send(url: &str) -> ::worker::Result<Response> {
    let headers = Headers::new();
    headers.set("accept", "application/json")?;
    let mut init = RequestInit::new();
    init.with_headers(headers).with_redirect(RequestRedirect::Manual);
    let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(PATIENCE));
    Fetch::Request(Request::new_with_init(url, &init)?).send_with_signal(&signal).await
}

/// No more is taken in than a document may have.
async fn read(mut response: Response) -> Result<Vec<u8>, Unavailable> {
    let mut octets = Vec::new();
    match response.body() {
        ResponseBody::Empty => return Ok(octets),
        ResponseBody::Body(body) => octets.extend_from_slice(body),
        ResponseBody::Stream(_) => {
            let mut chunks = response.stream().map_err(|_| Unavailable)?;
            while let Some(chunk) = chunks.try_next().await.map_err(|_| Unavailable)? {
                if octets.len().saturating_add(chunk.len()) > MAX_DOCUMENT {
                    return Err(Unavailable);
                }
                octets.extend_from_slice(&chunk);
            }
        }
    }
    if octets.len() > MAX_DOCUMENT { Err(Unavailable) } else { Ok(octets) }
}
