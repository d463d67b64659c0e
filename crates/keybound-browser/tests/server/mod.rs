//! A server in place of the global `fetch`: answers by a closure, and remembers what it was asked.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Object, Promise, Reflect, futures::JsFuture, global};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{Headers, Request, Response, ResponseInit};

/// Status and headers.
pub(crate) type Reply = (u16, Vec<(String, String)>);

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
    before: JsValue,
    received: Rc<RefCell<Vec<(Received, Request)>>>,
    _answer: Closure<dyn FnMut(Request) -> Promise>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Received) -> Reply + 'static) -> Self {
        Self::start_with_body(answer, "")
    }

    pub(crate) fn start_with_body(answer: impl Fn(&Received) -> Reply + 'static, body: &'static str) -> Self {
        let received: Rc<RefCell<Vec<_>>> = Rc::default();
        let log = received.clone();
        let answer = Closure::<dyn FnMut(Request) -> Promise>::new(move |request: Request| {
            let field = |name: &str| request.headers().get(name).unwrap();
            let redirect = Reflect::get(&request, &"redirect".into()).unwrap().as_string().unwrap();
            let arrived =
                Received { authorization: field("authorization"), proof: field("dpop"), redirect, body: String::new() };
            let (status, fields) = answer(&arrived);
            log.borrow_mut().push((arrived, request));
            let headers = Headers::new().unwrap();
            for (name, value) in fields {
                headers.set(&name, &value).unwrap();
            }
            let init = ResponseInit::new();
            init.set_status(status);
            init.set_headers(&headers);
            Promise::resolve(&Response::new_with_opt_str_and_init(Some(body), &init).unwrap()).unchecked_into()
        });
        let scope: Object = global();
        let before = Reflect::get(&scope, &"fetch".into()).unwrap();
        Reflect::set(&scope, &"fetch".into(), answer.as_ref()).unwrap();
        Self { before, received, _answer: answer }
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

impl Drop for Server {
    fn drop(&mut self) {
        Reflect::set(&global(), &"fetch".into(), &self.before).unwrap();
    }
}

/// The answer that demands this nonce (RFC 9449 §9).
pub(crate) fn challenge(nonce: &str) -> Reply {
    (
        401,
        vec![("www-authenticate".into(), "DPoP error=\"use_dpop_nonce\"".into()), ("dpop-nonce".into(), nonce.into())],
    )
}
