//! Requests that can be sent once more, and the browser's `fetch`.

use alloc::vec::Vec;

use js_sys::{Function, Promise, Reflect, Uint8Array, futures::JsFuture, global};
use keybound_core::client::BodyKind;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Request, RequestInit, RequestMode, RequestRedirect, Response};

use super::body;

/// A request, ready for its attempts.
#[derive(Debug)]
pub(super) enum Kept {
    /// Without a body.
    Plain(Request),
    /// With a body that was kept.
    Body(Request, Vec<u8>),
    /// With a body too large to keep.
    Once(Request),
}

/// Reads the body of a request, and keeps it if it has at most `cap` octets.
pub(super) async fn keep(given: &Request, cap: u32) -> Result<Kept, JsValue> {
    if matches!(given.method().as_str(), "GET" | "HEAD") {
        return Ok(Kept::Plain(given.clone()?));
    }
    match body::of_request(&given.clone()?, cap).await? {
        Some(octets) if octets.is_empty() => Ok(Kept::Plain(given.clone()?)),
        Some(octets) => Ok(Kept::Body(given.clone()?, octets)),
        None => Ok(Kept::Once(given.clone()?)),
    }
}

impl Kept {
    pub(super) const fn kind(&self) -> BodyKind {
        match self {
            Self::Plain(_) | Self::Body(..) => BodyKind::Repeatable,
            // The caller's own request still has it: only a copy was read.
            Self::Once(_) => BodyKind::Large,
        }
    }

    /// The request for one attempt, with headers of its own.
    pub(super) fn next(&self, url: &str) -> Result<Request, JsValue> {
        let init = RequestInit::new();
        // Left to the browser, a redirect would take the DPoP field along, across origins too.
        init.set_redirect(RequestRedirect::Manual);
        let (base, body) = match self {
            Self::Plain(base) | Self::Once(base) => (base, None),
            Self::Body(base, octets) => (base, Some(Uint8Array::from(octets.as_slice()))),
        };
        // A Request that is made anew from another forgets these two.
        init.set_referrer(&base.referrer());
        init.set_referrer_policy(base.referrer_policy());
        let Some(body) = body else {
            return if url == base.url() {
                Request::new_with_request_and_init(&base.clone()?, &init)
            } else {
                Request::new_with_str_and_init(url, &copied(base, &init))
            };
        };
        init.set_body(&body);
        Request::new_with_str_and_init(url, &copied(base, &init))
    }
}

/// What a request is beside its URL and body.
fn copied(base: &Request, init: &RequestInit) -> RequestInit {
    let init = init.clone();
    init.set_method(&base.method());
    init.set_headers(&base.headers());
    // A page cannot make a request with the mode of a navigation.
    if base.mode() != RequestMode::Navigate {
        init.set_mode(base.mode());
    }
    init.set_credentials(base.credentials());
    init.set_cache(base.cache());
    init.set_integrity(&base.integrity());
    init.set_signal(Some(&base.signal()));
    init
}

/// `fetch` of the global object: windows and workers have it there.
pub(super) async fn send(request: &Request) -> Result<Response, JsValue> {
    let global = global();
    let fetch: Function = Reflect::get(&global, &"fetch".into())?.dyn_into()?;
    let promise: Promise = fetch.call1(&global, request)?.dyn_into()?;
    JsFuture::from(promise).await?.dyn_into()
}
