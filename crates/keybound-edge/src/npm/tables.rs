//! Numbers for reasons, checks and algorithms, and the texts that go with them.

use alloc::{string::String, vec::Vec};

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    server::{
        answer,
        reason::{Answer, Check, Reason},
    },
};

use super::desk::Desk;

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

/// Three paragraphs: reasons, checks and algorithms, in the order of their numbers.
///
/// A reason is a line: code, OAuth error at a resource server and at a token endpoint (empty: none), status,
/// number of its check, detail; separated by tabs. A check is one of name and RFC section. The algorithms stand
/// on one line, separated by blanks.
#[unsafe(no_mangle)]
extern "C" fn tables(desk: &mut Desk) {
    let mut out = String::new();
    for reason in Reason::ALL {
        let [error, token_error] =
            [reason.answer(), answer::token_endpoint_error(*reason)].map(|answer| match answer {
                Answer::Error(error) => error.name(),
                _ => "",
            });
        for field in [reason.code(), error, token_error] {
            out.push_str(field);
            out.push('\t');
        }
        push_number(u64::from(answer::status(reason.answer())), &mut out);
        out.push('\t');
        push_number(u64::from(position(&Check::ALL, reason.check())), &mut out);
        out.push('\t');
        out.push_str(reason.detail());
        out.push('\n');
    }
    out.push('\n');
    for check in Check::ALL {
        out.push_str(check.name());
        out.push('\t');
        out.push_str(check.section());
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&answer::algs(AlgorithmSet::ALL));
    desk.output = out;
}

/// Texts, a line each.
pub(super) fn lines(texts: Vec<String>) -> String {
    let mut out = String::new();
    for text in texts {
        out.push_str(&text);
        out.push('\n');
    }
    out.pop();
    out
}

/// Decimal digits, without the formatting machinery.
pub(super) fn push_number(number: u64, out: &mut String) {
    if let Some(rest) = number.checked_div(10).filter(|rest| *rest > 0) {
        push_number(rest, out);
    }
    let digit = number.checked_rem(10).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    out.push(char::from(b'0'.saturating_add(digit)));
}
