//! What a client knows of its servers: nonces, clocks, and who asks one for the first time.

use alloc::{collections::BTreeMap, rc::Rc, string::String};
use core::cell::{Cell, RefCell};

use keybound_core::client::{NonceCache, Role};

use super::{
    Error,
    waiting::{Occurrence, Patience, Timer, before, within},
};

/// Milliseconds that others wait for the first answer of a server before one of them goes on as the first.
const FIRST_ANSWER_PATIENCE: u32 = 3_000;
/// Milliseconds that one request waits for the first answers of others, in all.
const OTHERS_PATIENCE: u32 = 5_000;

std::thread_local! {
    /// By how much the clock of the authorization server that spoke last is ahead: the best guess for servers
    /// that say nothing.
    static ISSUER_CLOCK: Cell<i64> = const { Cell::new(0) };
}

/// The servers of one client, by their origins. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Servers(Rc<RefCell<Known>>);

#[derive(Debug, Default)]
struct Known {
    nonces: NonceCache,
    /// Those that answered, and by how many seconds their clocks are ahead of ours, if they said so.
    heard: BTreeMap<String, Option<i64>>,
    /// First requests that are under way: they may bring the nonce that all others need.
    first: BTreeMap<String, Occurrence>,
}

impl Servers {
    /// The nonce to send. A request that is the first to its server gets a `turn`; others wait a moment for
    /// what its answer brings, so that many first requests cost one challenge.
    pub(super) async fn nonce(
        &self,
        role: Role,
        origin: &str,
        turn: &mut Option<Turn>,
        patience: &Patience,
    ) -> Result<Option<String>, Error> {
        let mut overall = None;
        loop {
            let other = {
                let mut known = self.0.borrow_mut();
                let stored = known.nonces.get(role, origin).map(String::from);
                if stored.is_some() || turn.is_some() || known.heard.contains_key(origin) {
                    return Ok(stored);
                }
                let Some(other) = known.first.get(origin).cloned() else {
                    let arrival = Occurrence::default();
                    known.first.insert(origin.into(), arrival.clone());
                    *turn = Some(Turn { servers: self.clone(), origin: origin.into(), arrival });
                    return Ok(None);
                };
                other
            };
            let timer = overall.get_or_insert_with(|| Timer::start(OTHERS_PATIENCE));
            match patience.with(before(timer.end(), within(FIRST_ANSWER_PATIENCE, other.wait()))).await? {
                // Long enough: it goes on without.
                None => return Ok(None),
                // It takes too long; one of those that waited is the first now.
                Some(None) => self.over(origin, &other),
                Some(Some(())) => {}
            }
        }
    }

    pub(super) fn keep_nonce(&self, role: Role, origin: &str, nonce: &str) {
        self.0.borrow_mut().nonces.set(role, origin, nonce);
    }

    /// This server answered.
    pub(super) fn hear(&self, origin: &str) {
        self.0.borrow_mut().heard.entry(origin.into()).or_default();
    }

    pub(super) fn was_heard(&self, origin: &str) -> bool {
        self.0.borrow().heard.contains_key(origin)
    }

    /// By how many seconds a server's clock is ahead, if it said so.
    pub(super) fn clock_offset(&self, origin: &str) -> Option<i64> {
        self.0.borrow().heard.get(origin).copied().flatten()
    }

    /// As good as it is known: what the server said, else what came with the token, else the issuer's.
    pub(super) fn likely_offset(&self, origin: &str, token: Option<i64>) -> i64 {
        self.clock_offset(origin).or(token).unwrap_or_else(|| ISSUER_CLOCK.get())
    }

    pub(super) fn set_clock(&self, role: Role, origin: &str, offset: i64) {
        self.0.borrow_mut().heard.insert(origin.into(), Some(offset));
        if role == Role::AuthorizationServer {
            ISSUER_CLOCK.set(offset);
        }
    }

    /// Lets those go that wait for this first answer.
    fn over(&self, origin: &str, arrival: &Occurrence) {
        {
            let mut known = self.0.borrow_mut();
            if known.first.get(origin).is_some_and(|first| first.is_same(arrival)) {
                known.first.remove(origin);
            }
        }
        arrival.occur();
    }
}

/// This is the first request to a server. Others go on when it is dropped, whatever became of it.
#[derive(Debug)]
pub(super) struct Turn {
    servers: Servers,
    origin: String,
    arrival: Occurrence,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.servers.over(&self.origin, &self.arrival);
    }
}
