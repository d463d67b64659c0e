//! An engine that several requests of one thread share, each leaving it where its future is dropped.

use core::cell::RefCell;

use keybound_core::server::reason::Reason;

use crate::{
    engine::{Engine, Step},
    token_engine::{TokenEngine, TokenStep},
};

/// What the engines of both roles have in common.
pub(crate) trait Steps {
    type Step;
    fn rejected(reason: Reason) -> Self::Step;
    fn abandon(&mut self, handle: u32);
    /// Forgets what had to go from the caches: what goes with their entries is kept elsewhere.
    fn forget_gone(&mut self);
}

impl Steps for Engine {
    type Step = Step;

    fn rejected(reason: Reason) -> Step {
        Step::Rejected(reason)
    }

    fn abandon(&mut self, handle: u32) {
        Self::abandon(self, handle);
    }

    fn forget_gone(&mut self) {
        self.take_gone();
    }
}

impl Steps for TokenEngine {
    type Step = TokenStep;

    fn rejected(reason: Reason) -> TokenStep {
        TokenStep::Rejected(reason)
    }

    fn abandon(&mut self, handle: u32) {
        Self::abandon(self, handle);
    }

    fn forget_gone(&mut self) {
        self.take_gone();
    }
}

#[derive(Debug)]
pub(crate) struct Shared<E>(RefCell<E>);

impl<E: Steps> Shared<E> {
    pub(crate) const fn new(engine: E) -> Self {
        Self(RefCell::new(engine))
    }

    /// Never held across an await, so always there.
    pub(crate) fn with<U>(&self, ask: impl FnOnce(&mut E) -> U) -> Option<U> {
        self.0.try_borrow_mut().ok().map(|mut engine| ask(&mut engine))
    }

    pub(crate) fn step(&self, next: impl FnOnce(&mut E) -> E::Step) -> E::Step {
        self.with(|engine| {
            let step = next(engine);
            engine.forget_gone();
            step
        })
        .unwrap_or_else(|| E::rejected(Reason::Overloaded))
    }

    pub(crate) const fn waiting(&self, handle: u32) -> Waiting<'_, E> {
        Waiting { engine: self, handle: Some(handle) }
    }
}

/// A request that waits in the engine, and leaves it where its future is dropped.
pub(crate) struct Waiting<'a, E: Steps> {
    engine: &'a Shared<E>,
    handle: Option<u32>,
}

impl<E: Steps> Waiting<'_, E> {
    pub(crate) fn goes_on(mut self, next: impl FnOnce(&mut E) -> E::Step) -> E::Step {
        self.handle = None;
        self.engine.step(next)
    }
}

impl<E: Steps> Drop for Waiting<'_, E> {
    fn drop(&mut self) {
        if let Some(handle) = self.handle {
            self.engine.with(|engine| engine.abandon(handle));
        }
    }
}
