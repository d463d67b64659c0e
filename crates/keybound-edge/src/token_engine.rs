//! A token endpoint's decisions as steps, like those of [`crate::engine`].

use alloc::string::String;

use keybound_core::{
    server::{
        certificate::CertificateReading,
        nonce::NonceStatus,
        reason::Reason,
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
        token_endpoint::{Binding, Grant, Parsed, Possessed, Presented, Signed, TokenEndpointPolicy, TokenRequest},
    },
    signature::{SignatureCheck, SignatureError},
    time::Timestamp,
};

use crate::{
    cache::{Id, KeyCache},
    engine::{Gone, NonceSource},
    pending::{Held, Pending},
};

/// What a token endpoint is configured with.
#[derive(Debug)]
pub struct TokenConfig {
    /// Proofs and nonces.
    pub policy: TokenEndpointPolicy,
    /// Who knows nonces.
    pub nonces: NonceSource,
    /// How many clients' keys are remembered.
    pub key_cache: usize,
}

/// What is needed next, or the decision.
#[derive(Debug)]
pub enum TokenStep {
    /// Refused.
    Rejected(Reason),
    /// The status of [`TokenEngine::nonce_of`]; answer with [`TokenEngine::nonce`].
    NeedNonce(u32),
    /// The answer about the signature of [`TokenEngine::signature_of`]; answer with [`TokenEngine::signature`].
    NeedSignature(u32),
    /// The connection's certificate; answer with [`TokenEngine::certificate`].
    NeedCertificate(u32),
    /// The replay store's answer about [`TokenEngine::mark_of`]; answer with [`TokenEngine::replay`].
    NeedReplay(u32),
    /// The binding, and the id of the client's key.
    Bound(Binding, Id),
}

/// A token endpoint that keeps its state between requests.
#[derive(Debug)]
pub struct TokenEngine {
    config: TokenConfig,
    keys: KeyCache,
    pending: Pending<Stage>,
    gone: Gone,
}

#[derive(Debug)]
struct Stage {
    now: Timestamp,
    key: Id,
    at: At,
}

#[derive(Debug)]
enum At {
    Nonce(Presented),
    Signature(Parsed),
    Certificate(Signed),
    Replay(Possessed),
}

impl Held for Stage {
    fn octets(&self) -> usize {
        match &self.at {
            At::Nonce(presented) => presented.octets(),
            At::Signature(parsed) => parsed.octets(),
            At::Certificate(_) | At::Replay(_) => 0,
        }
    }
}

impl TokenEngine {
    /// An endpoint without any state yet.
    #[must_use]
    pub fn new(config: TokenConfig) -> Self {
        Self { keys: KeyCache::new(config.key_cache), pending: Pending::new(), gone: Gone::default(), config }
    }

    /// Begins with a request for this grant.
    pub fn begin(&mut self, request: &TokenRequest<'_>, grant: &Grant, now: Timestamp) -> TokenStep {
        let presented = match Presented::read(request, grant, &self.config.policy, now) {
            Ok(presented) => presented,
            Err(reason) => return TokenStep::Rejected(reason),
        };
        let status = match (presented.nonce(), &self.config.nonces) {
            (Some(_), NonceSource::Driver) => {
                return self.wait(now, 0, At::Nonce(presented), TokenStep::NeedNonce);
            }
            (Some(nonce), NonceSource::Stateless(nonces)) => Some(nonces.check(nonce, now)),
            _ => None,
        };
        self.after_nonce(presented, status, now)
    }

    /// The nonce that a request waits for.
    #[must_use]
    pub fn nonce_of(&self, handle: u32) -> Option<&str> {
        match &self.pending.get(handle)?.at {
            At::Nonce(presented) => presented.nonce(),
            _ => None,
        }
    }

    /// Goes on with what the driver knows of the nonce.
    pub fn nonce(&mut self, handle: u32, status: NonceStatus) -> TokenStep {
        match self.pending.take(handle) {
            Some(Stage { now, at: At::Nonce(presented), .. }) => self.after_nonce(presented, Some(status), now),
            _ => TokenStep::Rejected(Reason::Overloaded),
        }
    }

    fn after_nonce(&mut self, presented: Presented, status: Option<NonceStatus>, now: Timestamp) -> TokenStep {
        let parsed = match presented.nonce_checked(status) {
            Ok(parsed) => parsed,
            Err(reason) => return TokenStep::Rejected(reason),
        };
        match parsed.proof().map(|proof| proof.thumbprint()) {
            Some(thumbprint) => {
                let key = self.keys.get(thumbprint);
                self.wait(now, key, At::Signature(parsed), TokenStep::NeedSignature)
            }
            None => match parsed.signature_checked(Ok(())) {
                Ok(signed) => self.after_signature(now, 0, signed, None),
                Err(reason) => TokenStep::Rejected(reason),
            },
        }
    }

    /// The signature that a request waits for, and the id of its key.
    #[must_use]
    pub fn signature_of(&self, handle: u32) -> Option<(SignatureCheck<'_>, Id)> {
        let stage = self.pending.get(handle)?;
        match &stage.at {
            At::Signature(parsed) => Some((parsed.proof()?.signature_check(), stage.key)),
            _ => None,
        }
    }

    /// Goes on with the answer about the signature. `memory` is asked about the mark.
    pub fn signature(
        &mut self,
        handle: u32,
        signature: Result<(), SignatureError>,
        memory: Option<&mut MemoryReplay>,
    ) -> TokenStep {
        let Some(Stage { now, at: At::Signature(parsed), .. }) = self.pending.take(handle) else {
            return TokenStep::Rejected(Reason::Overloaded);
        };
        let thumbprint = parsed.proof().map(|proof| proof.thumbprint());
        let signed = match parsed.signature_checked(signature) {
            Ok(signed) => signed,
            Err(reason) => return TokenStep::Rejected(reason),
        };
        let mut key = 0;
        if let Some(thumbprint) = thumbprint {
            let (id, gone) = self.keys.put(thumbprint, None);
            key = id;
            self.gone.keys.extend(Some(gone).filter(|gone| *gone != 0));
        }
        self.after_signature(now, key, signed, memory)
    }

    fn after_signature(
        &mut self,
        now: Timestamp,
        key: Id,
        signed: Signed,
        memory: Option<&mut MemoryReplay>,
    ) -> TokenStep {
        if signed.needs_certificate() {
            return self.wait(now, key, At::Certificate(signed), TokenStep::NeedCertificate);
        }
        self.after_certificate(now, key, signed, &CertificateReading::Absent, memory)
    }

    /// Goes on with the connection's certificate.
    pub fn certificate(
        &mut self,
        handle: u32,
        certificate: &CertificateReading,
        memory: Option<&mut MemoryReplay>,
    ) -> TokenStep {
        match self.pending.take(handle) {
            Some(Stage { now, key, at: At::Certificate(signed) }) => {
                self.after_certificate(now, key, signed, certificate, memory)
            }
            _ => TokenStep::Rejected(Reason::Overloaded),
        }
    }

    fn after_certificate(
        &mut self,
        now: Timestamp,
        key: Id,
        signed: Signed,
        certificate: &CertificateReading,
        memory: Option<&mut MemoryReplay>,
    ) -> TokenStep {
        let possessed = match signed.possession_checked(certificate) {
            Ok(possessed) => possessed,
            Err(reason) => return TokenStep::Rejected(reason),
        };
        let answer = match (possessed.mark(), memory) {
            (None, _) => ReplayAnswer::Fresh,
            (Some(mark), Some(memory)) => memory.claim(mark, now.as_seconds()),
            (Some(_), None) => {
                return self.wait(now, key, At::Replay(possessed), TokenStep::NeedReplay);
            }
        };
        Self::conclude(possessed, answer, key)
    }

    /// The mark that a request waits for the store's answer about.
    #[must_use]
    pub fn mark_of(&self, handle: u32) -> Option<&ReplayMark> {
        match &self.pending.get(handle)?.at {
            At::Replay(possessed) => possessed.mark(),
            _ => None,
        }
    }

    /// Goes on with the replay store's answer.
    pub fn replay(&mut self, handle: u32, answer: ReplayAnswer) -> TokenStep {
        match self.pending.take(handle) {
            Some(Stage { key, at: At::Replay(possessed), .. }) => Self::conclude(possessed, answer, key),
            _ => TokenStep::Rejected(Reason::Overloaded),
        }
    }

    fn conclude(possessed: Possessed, answer: ReplayAnswer, key: Id) -> TokenStep {
        match possessed.replay_checked(answer) {
            Ok(binding) => TokenStep::Bound(binding, key),
            Err(reason) => TokenStep::Rejected(reason),
        }
    }

    /// Gives a waiting request up.
    pub fn abandon(&mut self, handle: u32) {
        self.pending.take(handle);
    }

    /// What had to go from the cache since this was last asked.
    pub fn take_gone(&mut self) -> Gone {
        core::mem::take(&mut self.gone)
    }

    /// Whether there is something to take.
    #[must_use]
    pub const fn has_gone(&self) -> bool {
        !self.gone.keys.is_empty()
    }

    /// The nonce to give out now, if this server makes its own.
    #[must_use]
    pub fn current_nonce(&self, now: Timestamp) -> Option<String> {
        self.config.nonces.current(now)
    }

    fn wait(&mut self, now: Timestamp, key: Id, at: At, step: impl FnOnce(u32) -> TokenStep) -> TokenStep {
        self.pending.insert(Stage { now, key, at }, now).map_or(TokenStep::Rejected(Reason::Overloaded), step)
    }
}
