//! A server in place of the global `fetch`: answers by a closure, and remembers what it was asked.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Object, Promise, Reflect, futures::JsFuture, global};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{Headers, ReadableStream, Request, Response, ResponseInit};

/// Status and headers.
pub(crate) type Reply = (u16, Vec<(String, String)>);

/// An answer, or none ever.
pub(crate) type Answer = Option<Reply>;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) authorization: Option<String>,
    pub(crate) proof: Option<String>,
    pub(crate) redirect: String,
    pub(crate) body: String,
}

impl Received {
    /// The nonce in the proof.
    pub(crate) fn nonce(&self) -> Option<String> {
        self.proof.as_deref().and_then(|proof| super::claim(proof, "nonce"))
    }
}

/// While it lives, `fetch` of this realm asks it. Tests of one file run one after the other.
pub(crate) struct Server {
    received: Rc<RefCell<Vec<(Received, Request)>>>,
    _standing_in: StandIn,
    _answer: Closure<dyn FnMut(Request) -> Promise>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Received) -> Reply + 'static) -> Self {
        Self::start_with_body(answer, "")
    }

    pub(crate) fn start_with_body(answer: impl Fn(&Received) -> Reply + 'static, body: &str) -> Self {
        Self::start_silent(move |received| Some(answer(received)), body)
    }

    /// One that begins its answers and does not end them.
    pub(crate) fn start_endless() -> Self {
        let received: Rc<RefCell<Vec<_>>> = Rc::default();
        let answer = Closure::<dyn FnMut(Request) -> Promise>::new(|_: Request| {
            let endless = ReadableStream::new().unwrap();
            let response = Response::new_with_opt_readable_stream(Some(&endless)).unwrap();
            Promise::resolve(&response).unchecked_into()
        });
        let standing_in = StandIn::put("fetch", answer.as_ref());
        Self { received, _standing_in: standing_in, _answer: answer }
    }

    /// One that may leave a request without an answer.
    pub(crate) fn start_silent(answer: impl Fn(&Received) -> Answer + 'static, body: &str) -> Self {
        let body = body.to_owned();
        let received: Rc<RefCell<Vec<_>>> = Rc::default();
        let log = received.clone();
        let answer = Closure::<dyn FnMut(Request) -> Promise>::new(move |request: Request| {
            let field = |name: &str| request.headers().get(name).unwrap();
            let redirect = Reflect::get(&request, &"redirect".into()).unwrap().as_string().unwrap();
            let arrived =
                Received { authorization: field("authorization"), proof: field("dpop"), redirect, body: String::new() };
            let reply = answer(&arrived);
            log.borrow_mut().push((arrived, request));
            let Some((status, fields)) = reply else {
                return Promise::new(&mut |_, _| {}).unchecked_into();
            };
            let headers = Headers::new().unwrap();
            for (name, value) in fields {
                headers.set(&name, &value).unwrap();
            }
            let init = ResponseInit::new();
            init.set_status(status);
            init.set_headers(&headers);
            Promise::resolve(&Response::new_with_opt_str_and_init(Some(&body), &init).unwrap()).unchecked_into()
        });
        let standing_in = StandIn::put("fetch", answer.as_ref());
        Self { received, _standing_in: standing_in, _answer: answer }
    }

    /// What it was asked, with the bodies.
    pub(crate) async fn requests(&self) -> Vec<Received> {
        let received = self
            .received
            .borrow()
            .iter()
            .map(|(received, request)| (received.clone(), Clone::clone(request)))
            .collect::<Vec<_>>();
        let mut requests = Vec::new();
        for (mut received, request) in received {
            received.body = JsFuture::from(request.text().unwrap()).await.unwrap().as_string().unwrap();
            requests.push(received);
        }
        requests
    }
}

/// While it lives, a member of the global object is another one.
pub(crate) struct StandIn {
    name: &'static str,
    before: JsValue,
}

impl StandIn {
    pub(crate) fn put(name: &'static str, value: &JsValue) -> Self {
        let before = Reflect::get(&global(), &name.into()).unwrap();
        define(name, value);
        Self { name, before }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        define(self.name, &self.before);
    }
}

/// Assigning is not enough: some members are getters.
fn define(name: &str, value: &JsValue) {
    let property = Object::new();
    for (member, is) in [("value", value), ("configurable", &JsValue::TRUE), ("writable", &JsValue::TRUE)] {
        Reflect::set(&property, &member.into(), is).unwrap();
    }
    let scope: Object = global();
    Object::define_property(&scope, &name.into(), &property);
}

/// While it lives, a timer of a second rings after ten milliseconds.
pub(crate) struct Hurry {
    _standing_in: StandIn,
    _set: Closure<dyn FnMut(JsValue, f64) -> JsValue>,
}

impl Hurry {
    pub(crate) fn up() -> Self {
        let real: js_sys::Function = Reflect::get(&global(), &"setTimeout".into()).unwrap().unchecked_into();
        let set = Closure::<dyn FnMut(JsValue, f64) -> JsValue>::new(move |run: JsValue, milliseconds: f64| {
            real.call2(&JsValue::UNDEFINED, &run, &(milliseconds / 100.0).into()).unwrap()
        });
        Self { _standing_in: StandIn::put("setTimeout", set.as_ref()), _set: set }
    }
}

/// The answer that demands this nonce (RFC 9449 §9).
pub(crate) fn challenge(nonce: &str) -> Reply {
    (
        401,
        vec![("www-authenticate".into(), "DPoP error=\"use_dpop_nonce\"".into()), ("dpop-nonce".into(), nonce.into())],
    )
}
