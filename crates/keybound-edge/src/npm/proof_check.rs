//! One proof against one request (`verifyProof`).

use alloc::{boxed::Box, string::String};

use keybound_core::{
    proof::check::{self, ExpectedRequest, ParsedProof, ProofPolicy, VerifiedProof},
    server::reason::Reason,
    sha256,
    target_uri::TargetUri,
    thumbprint::Thumbprint,
};

use super::{ACCEPTED, NEED_SIGNATURES, REJECTED, desk::Desk, options, seconds, shared::Slots, tables, verdict};

/// A proof on its way through the checks.
struct ProofCheck {
    policy: ProofPolicy,
    slots: Slots,
    expected: Option<Thumbprint>,
    parsed: Option<ParsedProof>,
    /// What the slots point into.
    verified: Option<VerifiedProof>,
    jkt: String,
}

/// Reads the policy, as JSON.
#[unsafe(no_mangle)]
extern "C" fn proof_open(desk: &Desk, len: usize) -> Option<Box<ProofCheck>> {
    Some(Box::new(ProofCheck {
        policy: options::read_proof_policy(desk.text(len))?,
        slots: Slots::new(),
        expected: None,
        parsed: None,
        verified: None,
        jkt: String::new(),
    }))
}

#[unsafe(no_mangle)]
extern "C" fn proof_close(check: Box<ProofCheck>) {
    drop(check);
}

#[unsafe(no_mangle)]
extern "C" fn proof_slots(check: &ProofCheck) -> u32 {
    check.slots.address()
}

/// The texts: proof, method, URL, access token, thumbprint, nonce. `asked`: 1 with a token, 2 with a thumbprint, 4 with
/// a nonce.
#[unsafe(no_mangle)]
extern "C" fn proof_begin(check: &mut ProofCheck, desk: &Desk, len: usize, asked: u32, now: f64) -> u32 {
    match try_begin(check, desk, len, asked, now) {
        // What was given as thumbprint is none.
        Err(None) => u32::MAX,
        Ok(parsed) => {
            let parsed = check.parsed.insert(parsed);
            check.slots.set_signature(10, Some(parsed.signature_check()));
            NEED_SIGNATURES
        }
        Err(Some(reason)) => check.reject(reason),
    }
}

fn try_begin(
    check: &mut ProofCheck,
    desk: &Desk,
    len: usize,
    asked: u32,
    now: f64,
) -> Result<ParsedProof, Option<Reason>> {
    let [proof, method, url, access_token, jkt, nonce] = desk.texts(len).ok_or(Reason::TargetUnknown)?;
    check.expected = if asked & 2 == 0 { None } else { Some(Thumbprint::parse(jkt).ok_or(None)?) };
    let hash = (asked & 1 != 0).then(|| sha256::digest(access_token.as_bytes()));
    let target = TargetUri::parse(url).map_err(|_| Reason::TargetUnknown)?;
    let request = ExpectedRequest { method, target: &target, access_token_hash: hash.as_ref(), now: seconds(now) };
    let parsed = check::parse(proof, &check.policy, &request)?;
    match parsed.nonce() {
        _ if asked & 4 == 0 => Ok(parsed),
        None => Err(Some(Reason::NonceMissing)),
        Some(given) if given == nonce => Ok(parsed),
        Some(_) => Err(Some(Reason::NonceUnknown)),
    }
}

/// The key to import for the signature.
#[unsafe(no_mangle)]
extern "C" fn proof_jwk(check: &ProofCheck, desk: &mut Desk) {
    desk.output = check.parsed.as_ref().map(|parsed| parsed.signature_check().key.to_jwk()).unwrap_or_default();
}

/// The answer about the signature.
#[unsafe(no_mangle)]
extern "C" fn proof_finish(check: &mut ProofCheck, valid: bool) -> u32 {
    let verified = match check.parsed.take().map(|parsed| parsed.verified(verdict(valid))) {
        Some(Ok(verified)) => verified,
        Some(Err(reason)) => return check.reject(reason),
        None => return check.reject(Reason::Overloaded),
    };
    if check.expected.is_some_and(|jkt| jkt != verified.thumbprint()) {
        return check.reject(Reason::JktMismatch);
    }
    check.jkt = verified.thumbprint().to_base64url();
    let verified = check.verified.insert(verified);
    check.slots.set_text(7, Some(verified.claims_json()));
    check.slots.set_text(9, Some(&check.jkt));
    ACCEPTED
}

impl ProofCheck {
    fn reject(&mut self, reason: Reason) -> u32 {
        self.slots.set(1, tables::reason_number(reason));
        REJECTED
    }
}
