//! Waiting that has an end: an abort, a time limit, or what another request brings.

use alloc::{rc::Rc, vec::Vec};
use core::{
    cell::RefCell,
    future::{Future, poll_fn},
    mem,
    pin::pin,
    task::{Context, Poll, Waker},
};

use js_sys::Reflect;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::AbortSignal;

use super::Error;
use crate::platform;

/// Something that happens once, and that many may wait for. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Occurrence(Rc<RefCell<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    over: bool,
    wakers: Vec<Waker>,
}

impl Occurrence {
    /// It happened: all who wait go on.
    pub(super) fn occur(&self) {
        let wakers = {
            let mut waiting = self.0.borrow_mut();
            waiting.over = true;
            mem::take(&mut waiting.wakers)
        };
        for waker in wakers {
            waker.wake();
        }
    }

    /// Until it happened.
    pub(super) async fn wait(&self) {
        poll_fn(|context| self.poll(context)).await;
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut waiting = self.0.borrow_mut();
        if waiting.over {
            return Poll::Ready(());
        }
        if !waiting.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

/// What the work gives; `None` as soon as `end` happened before.
pub(super) async fn before<T>(end: &Occurrence, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match end.poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => work.as_mut().poll(context).map(Some),
    })
    .await
}

/// What the work gives; `None` if it takes longer than this.
pub(super) async fn within<T>(milliseconds: u32, work: impl Future<Output = T>) -> Option<T> {
    let timer = Timer::start(milliseconds);
    before(timer.end(), work).await
}

/// A timer that rings once, unless it is dropped before.
#[derive(Debug)]
pub(super) struct Timer {
    end: Occurrence,
    id: JsValue,
    _ring: Closure<dyn FnMut()>,
}

impl Timer {
    pub(super) fn start(milliseconds: u32) -> Self {
        let end = Occurrence::default();
        let ringing = end.clone();
        let ring = Closure::<dyn FnMut()>::new(move || ringing.occur());
        let id = platform::set_timeout(ring.as_ref(), milliseconds);
        Self { end, id, _ring: ring }
    }

    pub(super) const fn end(&self) -> &Occurrence {
        &self.end
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        platform::clear_timeout(&self.id);
    }
}

/// A request's `AbortSignal`, heeded at every await.
#[derive(Debug)]
pub(super) struct Patience {
    signal: AbortSignal,
    end: Occurrence,
    listener: Closure<dyn FnMut()>,
}

impl Patience {
    pub(super) fn of(signal: AbortSignal) -> Self {
        let end = Occurrence::default();
        if signal.aborted() {
            end.occur();
        }
        let aborted = end.clone();
        let listener = Closure::<dyn FnMut()>::new(move || aborted.occur());
        // Where it cannot be listened to, the request itself still heeds it.
        let _ = signal.add_event_listener_with_callback("abort", listener.as_ref().unchecked_ref());
        Self { signal, end, listener }
    }

    /// What the work gives, unless the signal fires first.
    pub(super) async fn with<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        before(&self.end, work).await.ok_or_else(|| self.error())
    }

    pub(super) fn is_over(&self) -> bool {
        self.signal.aborted()
    }

    /// Which of the two it was: somebody's wish, or `AbortSignal.timeout`.
    pub(super) fn error(&self) -> Error {
        let reason = Reflect::get(&self.signal, &"reason".into()).unwrap_or(JsValue::UNDEFINED);
        let name = Reflect::get(&reason, &"name".into()).ok().and_then(|name| name.as_string());
        if name.as_deref() == Some("TimeoutError") { Error::TimedOut } else { Error::Aborted }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        // Leaves nothing behind at a signal that lives longer.
        let _ = self.signal.remove_event_listener_with_callback("abort", self.listener.as_ref().unchecked_ref());
    }
}
