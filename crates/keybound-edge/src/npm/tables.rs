//! Numbers for reasons, checks and algorithms, and the texts that go with them.

use alloc::{format, string::String, vec::Vec};

use keybound_core::{
    algorithm::Algorithm,
    server::{
        answer,
        reason::{Answer, Check, Reason},
    },
};
use wasm_bindgen::prelude::*;

pub(super) fn reason_number(reason: Reason) -> u32 {
    position(Reason::ALL, reason)
}

pub(super) fn reason(number: u32) -> Option<Reason> {
    Reason::ALL.get(usize::try_from(number).ok()?).copied()
}

pub(super) fn algorithm_number(algorithm: Algorithm) -> u32 {
    position(&Algorithm::ALL, algorithm)
}

fn position<T: PartialEq + Copy>(all: &[T], one: T) -> u32 {
    all.iter().position(|other| *other == one).and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
}

/// Every reason, a line each: code, OAuth error (empty: none was presented, `!`: the server's
/// fault), status, number of its check, detail; separated by tabs.
#[wasm_bindgen]
pub fn reasons() -> String {
    Reason::ALL
        .iter()
        .map(|reason| {
            let error = match reason.answer() {
                Answer::Error(error) => error.name(),
                Answer::ServerError => "!",
                _ => "",
            };
            let status = answer::status(reason.answer());
            let check = position(&Check::ALL, reason.check());
            format!("{}\t{error}\t{status}\t{check}\t{}", reason.code(), reason.detail())
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every check in order, a line each: name and RFC section, separated by a tab.
#[wasm_bindgen]
pub fn checks() -> String {
    Check::ALL
        .iter()
        .map(|check| format!("{}\t{}", check.name(), check.section()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The algorithms' names in the order of their numbers, separated by blanks.
#[wasm_bindgen]
pub fn algorithms() -> String {
    Algorithm::ALL.map(Algorithm::name).join(" ")
}
