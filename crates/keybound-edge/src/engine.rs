//! The decision about requests as steps: each says what is needed next, each answer leads on.
//!
//! The order is that of `keybound_core::server::resource_server`: cheap checks first, then token
//! and signatures, then possession, and the replay store last.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use keybound_core::{
    server::{
        answer::ChallengeContext,
        certificate::CertificateReading,
        jwks::{Jwk, Jwks},
        nonce::{NonceStatus, Nonces},
        policy::{ClientType, Scheme},
        reason::Reason,
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
        request::Request,
        resource_server::{
            Accepted, Constrained, KnownCredentials, Parsed, Possessed, Presented, ResourcePolicy, Signed,
        },
        token::{ParsedToken, TokenPolicy, VerifiedToken},
    },
    signature::{SignatureCheck, SignatureError},
    thumbprint::Thumbprint,
    time::Timestamp,
};

use crate::{
    cache::{Id, KeyCache, TokenCache},
    pending::{Held, Pending},
};

/// Who knows this server's nonces.
#[derive(Debug)]
pub enum NonceSource {
    /// It gives none out.
    None,
    /// Stateless ones.
    Stateless(Nonces),
    /// The driver is asked ([`Step::NeedNonce`]).
    Driver,
}

impl NonceSource {
    /// The nonce to give out now, if they are made here.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> Option<String> {
        match self {
            Self::Stateless(nonces) => Some(nonces.current(now)),
            Self::None | Self::Driver => None,
        }
    }
}

/// Who resolves access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenResolution {
    /// They are JWTs of the policy's issuers.
    Jwt,
    /// The driver asks a source ([`Step::NeedSource`]).
    Driver,
}

/// What a resource server is configured with.
#[derive(Debug)]
pub struct Config {
    /// Proofs, constraint and nonces.
    pub policy: ResourcePolicy,
    /// Issuers, audiences and the form of JWTs.
    pub tokens: TokenPolicy,
    /// Who resolves tokens.
    pub resolution: TokenResolution,
    /// Who knows nonces.
    pub nonces: NonceSource,
    /// The URL of the RFC 9728 document.
    pub resource_metadata: Option<String>,
    /// How many verified tokens are remembered.
    pub token_cache: usize,
    /// How many clients' keys are remembered.
    pub key_cache: usize,
}

/// What is needed next, or the decision.
#[derive(Debug)]
pub enum Step {
    /// Refused.
    Rejected(Reason),
    /// The status of [`Engine::nonce_of`]; answer with [`Engine::nonce`].
    NeedNonce(u32),
    /// The keys of this issuer, of which none fits so far; answer with [`Engine::resume`].
    NeedKeys(u32, usize),
    /// What the source of tokens says; answer with [`Engine::source`].
    NeedSource(u32),
    /// The answers about the signatures of [`Engine::signatures_of`]; answer with [`Engine::signatures`].
    NeedSignatures(u32),
    /// The type of the client whose claims [`Engine::claims_of`] gives; answer with [`Engine::client`].
    NeedClientType(u32),
    /// The connection's certificate; answer with [`Engine::certificate`].
    NeedCertificate(u32),
    /// The replay store's answer about [`Engine::mark_of`]; answer with [`Engine::replay`].
    NeedReplay(u32),
    /// Accepted.
    Accepted(Outcome),
}

/// An acceptance, and what became of the caches.
#[derive(Debug)]
pub struct Outcome {
    /// The accepted request.
    pub accepted: Accepted,
    /// The ids of token and key in the caches; 0 is none.
    pub token: Id,
    /// Whether the token was not remembered before.
    pub token_is_new: bool,
    /// The client key's id.
    pub key: Id,
}

/// Entries that had to go from the caches since they were last asked for.
#[derive(Debug, Default)]
pub struct Gone {
    /// Ids of tokens.
    pub tokens: Vec<Id>,
    /// Ids of clients' keys.
    pub keys: Vec<Id>,
}

/// A resource server that keeps its state between requests.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    issuers: Vec<Option<Jwks>>,
    tokens: TokenCache,
    keys: KeyCache,
    pending: Pending<Stage>,
    gone: Gone,
}

#[derive(Debug)]
struct Stage {
    now: Timestamp,
    at: At,
    ids: Ids,
}

#[derive(Debug)]
enum At {
    Nonce(Presented, Option<(Id, Arc<VerifiedToken>)>),
    Keys(Parsed, ParsedToken),
    Source(Parsed),
    Signatures(Parsed, Token),
    Client(Signed),
    Certificate(Constrained),
    Replay(Possessed),
}

impl Held for Stage {
    fn octets(&self) -> usize {
        match &self.at {
            At::Nonce(presented, _) => presented.octets(),
            At::Keys(parsed, _) | At::Source(parsed) | At::Signatures(parsed, _) => parsed.octets(),
            // What is left of the request is small, and the token may be shared.
            At::Client(_) | At::Certificate(_) | At::Replay(_) => 0,
        }
    }
}

#[derive(Debug)]
enum Token {
    Remembered(Arc<VerifiedToken>),
    Jwt(Box<(ParsedToken, Jwk)>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Ids {
    token: Id,
    token_is_new: bool,
    key: Id,
}

/// The signatures that a request waits for.
#[derive(Clone, Copy, Debug)]
pub struct Signatures<'a> {
    /// The access token's, unless it is remembered.
    pub token: Option<SignatureCheck<'a>>,
    /// The proof's, under the DPoP scheme.
    pub proof: Option<SignatureCheck<'a>>,
    /// The id of the proof's key, 0 if it is not remembered.
    pub key: Id,
    /// Whether the token is remembered and asks for the connection's certificate.
    pub certificate: bool,
    /// The SHA-256 of the access token.
    pub token_hash: &'a [u8; 32],
}

impl Engine {
    /// A server without any state yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            issuers: config.tokens.issuers.iter().map(|_| None).collect(),
            tokens: TokenCache::new(config.token_cache),
            keys: KeyCache::new(config.key_cache),
            pending: Pending::new(),
            gone: Gone::default(),
            config,
        }
    }

    /// Begins with a request.
    pub fn begin(&mut self, request: &Request<'_>, now: Timestamp) -> Step {
        match Presented::read(request, &self.config.policy, now) {
            Ok(presented) => self.look_at_nonce(presented, None, now),
            Err(reason) => Step::Rejected(reason),
        }
    }

    /// Begins with a request whose `Authorization` field came before, with an accepted request: this was its scheme, and
    /// [`Signatures::token_hash`] of its token. The field of the request is not looked at. `None` if the token is no longer
    /// remembered: [`Engine::begin`] then, with the field.
    pub fn begin_known(
        &mut self,
        request: &Request<'_>,
        scheme: Scheme,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Option<Step> {
        let remembered = self.tokens.get(token_hash, now)?;
        let jkt = remembered.1.confirmation().ok().and_then(|confirmation| confirmation.jkt());
        let known = KnownCredentials { scheme, token_hash, header: jkt.and_then(|jkt| self.keys.header(jkt)) };
        Some(match Presented::read_known(request, &known, &self.config.policy, now) {
            Ok(presented) => self.look_at_nonce(presented, Some(remembered), now),
            Err(reason) => Step::Rejected(reason),
        })
    }

    #[inline(never)]
    fn look_at_nonce(
        &mut self,
        presented: Presented,
        remembered: Option<(Id, Arc<VerifiedToken>)>,
        now: Timestamp,
    ) -> Step {
        let status = match (presented.nonce(), &self.config.nonces) {
            (Some(_), NonceSource::Driver) => {
                return self.wait(now, At::Nonce(presented, remembered), Ids::default(), Step::NeedNonce);
            }
            (Some(nonce), NonceSource::Stateless(nonces)) => Some(nonces.check(nonce, now)),
            _ => None,
        };
        self.after_nonce(presented, remembered, status, now)
    }

    /// The nonce that a request waits for.
    #[must_use]
    pub fn nonce_of(&self, handle: u32) -> Option<&str> {
        match self.pending.get(handle)?.at {
            At::Nonce(ref presented, _) => presented.nonce(),
            _ => None,
        }
    }

    /// Goes on with what the driver knows of the nonce.
    pub fn nonce(&mut self, handle: u32, status: NonceStatus) -> Step {
        match self.pending.take(handle) {
            Some(Stage { now, at: At::Nonce(presented, remembered), .. }) => {
                self.after_nonce(presented, remembered, Some(status), now)
            }
            _ => Step::Rejected(Reason::Overloaded),
        }
    }

    fn after_nonce(
        &mut self,
        presented: Presented,
        remembered: Option<(Id, Arc<VerifiedToken>)>,
        status: Option<NonceStatus>,
        now: Timestamp,
    ) -> Step {
        let parsed = match presented.nonce_checked(status) {
            Ok(parsed) => parsed,
            Err(reason) => return Step::Rejected(reason),
        };
        if let Some((id, token)) = remembered.or_else(|| self.tokens.get(parsed.token_hash(), now)) {
            let ids = Ids { token: id, ..Ids::default() };
            return self.wait_for_signatures(now, parsed, Token::Remembered(token), ids);
        }
        if self.config.resolution == TokenResolution::Driver {
            return self.wait(now, At::Source(parsed), Ids::default(), Step::NeedSource);
        }
        match ParsedToken::parse(parsed.token(), &self.config.tokens, now) {
            Ok(token) => self.find_key(now, parsed, token, true),
            Err(reason) => Step::Rejected(reason),
        }
    }

    fn remember_token(
        &mut self,
        parsed: &Parsed,
        token: &Arc<VerifiedToken>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Id {
        let (id, gone) = self.tokens.put(*parsed.token_hash(), token, until, now);
        self.gone.tokens.extend(Some(gone).filter(|gone| *gone != 0));
        id
    }

    /// What had to go from the caches since this was last asked.
    pub fn take_gone(&mut self) -> Gone {
        core::mem::take(&mut self.gone)
    }

    /// Whether there is something to take.
    #[must_use]
    pub const fn has_gone(&self) -> bool {
        !(self.gone.tokens.is_empty() && self.gone.keys.is_empty())
    }

    /// Takes over an issuer's published keys. Tokens that were signed with a key that is gone are
    /// forgotten.
    pub fn set_keys(&mut self, issuer: usize, jwks: Jwks) {
        if let Some(place) = self.issuers.get_mut(issuer) {
            if let Some(older) = place {
                jwks.keep_algorithms(older);
            }
            *place = Some(jwks);
        }
        let known: Vec<Thumbprint> =
            self.issuers.iter().flatten().flat_map(Jwks::keys).map(|jwk| jwk.key().thumbprint()).collect();
        self.gone.tokens.extend(self.tokens.keep_signed_by(&known));
    }

    /// Goes on after [`Engine::set_keys`], or after that was not possible.
    pub fn resume(&mut self, handle: u32) -> Step {
        match self.pending.take(handle) {
            Some(Stage { now, at: At::Keys(parsed, token), .. }) => self.find_key(now, parsed, token, false),
            _ => Step::Rejected(Reason::Overloaded),
        }
    }

    fn find_key(&mut self, now: Timestamp, parsed: Parsed, token: ParsedToken, may_ask: bool) -> Step {
        let issuer = token.issuer();
        let jwks = self.issuers.get(issuer).and_then(Option::as_ref);
        let key = jwks.and_then(|jwks| token.key_in(jwks)).cloned();
        match key {
            Some(key) => match token.signature_check(&key).map(|_| ()) {
                Ok(()) => self.wait_for_signatures(now, parsed, Token::Jwt(Box::new((token, key))), Ids::default()),
                Err(reason) => Step::Rejected(reason),
            },
            None if may_ask => {
                self.wait(now, At::Keys(parsed, token), Ids::default(), |handle| Step::NeedKeys(handle, issuer))
            }
            None => Step::Rejected(Reason::TokenKeyUnknown),
        }
    }

    /// The token that a request waits for a source's answer about.
    #[must_use]
    pub fn token_of(&self, handle: u32) -> Option<&str> {
        match self.pending.get(handle)?.at {
            At::Source(ref parsed) => Some(parsed.token()),
            _ => None,
        }
    }

    /// Goes on with what a source says of the token: whether it is active, and its claims as JSON.
    /// It is remembered only if the source says until when.
    pub fn source(&mut self, handle: u32, active: bool, claims: &str, until: Option<Timestamp>) -> Step {
        let Some(Stage { now, at: At::Source(parsed), .. }) = self.pending.take(handle) else {
            return Step::Rejected(Reason::Overloaded);
        };
        let policy = &self.config.tokens;
        let token = match VerifiedToken::from_source(active, claims, &policy.issuers, &policy.audiences) {
            Ok(token) => Arc::new(token),
            Err(reason) => return Step::Rejected(reason),
        };
        let mut ids = Ids { token_is_new: true, ..Ids::default() };
        if until.is_some() {
            ids.token = self.remember_token(&parsed, &token, until, now);
        }
        self.wait_for_signatures(now, parsed, Token::Remembered(token), ids)
    }

    fn wait_for_signatures(&mut self, now: Timestamp, parsed: Parsed, token: Token, mut ids: Ids) -> Step {
        if let Some(proof) = parsed.proof() {
            ids.key = self.keys.get(proof.thumbprint());
        }
        self.wait(now, At::Signatures(parsed, token), ids, Step::NeedSignatures)
    }

    /// The signatures that a request waits for.
    #[must_use]
    pub fn signatures_of(&self, handle: u32) -> Option<Signatures<'_>> {
        let stage = self.pending.get(handle)?;
        let At::Signatures(parsed, token) = &stage.at else { return None };
        let (check, certificate) = match token {
            Token::Remembered(token) => {
                let bound = token.confirmation().is_ok_and(|cnf| cnf.x5t_s256().is_some());
                (None, bound)
            }
            Token::Jwt(jwt) => (jwt.0.signature_check(&jwt.1).ok(), false),
        };
        Some(Signatures {
            token: check,
            proof: parsed.proof().map(|proof| proof.signature_check()),
            key: stage.ids.key,
            certificate,
            token_hash: parsed.token_hash(),
        })
    }

    /// Goes on with the answers about the signatures (each ignored where none was asked), and with
    /// the certificate if it is known already. `memory` is asked about the mark, if there is one.
    pub fn signatures(
        &mut self,
        handle: u32,
        token: Result<(), SignatureError>,
        proof: Result<(), SignatureError>,
        certificate: Option<CertificateReading>,
        memory: Option<&mut MemoryReplay>,
    ) -> Step {
        let Some(Stage { now, at: At::Signatures(parsed, resolved), ids }) = self.pending.take(handle) else {
            return Step::Rejected(Reason::Overloaded);
        };
        match self.check_signatures(now, parsed, resolved, token, proof, ids) {
            Ok((signed, ids)) if signed.needs_client_type() => {
                self.wait(now, At::Client(signed), ids, Step::NeedClientType)
            }
            Ok((signed, ids)) => match signed.client_known(ClientType::default()) {
                Ok(constrained) => self.after_client(now, constrained, ids, certificate, memory),
                Err(reason) => Step::Rejected(reason),
            },
            Err(reason) => Step::Rejected(reason),
        }
    }

    /// The token's claims (JSON) of a request that waits for its client's type.
    #[must_use]
    pub fn claims_of(&self, handle: u32) -> Option<&str> {
        match &self.pending.get(handle)?.at {
            At::Client(signed) => Some(signed.claims_json()),
            _ => None,
        }
    }

    /// Goes on with the client's type.
    pub fn client(&mut self, handle: u32, client: ClientType, memory: Option<&mut MemoryReplay>) -> Step {
        let Some(Stage { now, at: At::Client(signed), ids }) = self.pending.take(handle) else {
            return Step::Rejected(Reason::Overloaded);
        };
        match signed.client_known(client) {
            Ok(constrained) => self.after_client(now, constrained, ids, None, memory),
            Err(reason) => Step::Rejected(reason),
        }
    }

    fn check_signatures(
        &mut self,
        now: Timestamp,
        parsed: Parsed,
        resolved: Token,
        token: Result<(), SignatureError>,
        proof: Result<(), SignatureError>,
        mut ids: Ids,
    ) -> Result<(Signed, Ids), Reason> {
        let verified = match resolved {
            Token::Remembered(verified) => verified,
            Token::Jwt(jwt) => {
                let (jwt, key) = *jwt;
                let verified = Arc::new(jwt.verified(&key, token)?);
                ids.token = self.remember_token(&parsed, &verified, None, now);
                ids.token_is_new = true;
                verified
            }
        };
        Ok((parsed.signatures_checked(verified, proof)?, ids))
    }

    fn after_client(
        &mut self,
        now: Timestamp,
        constrained: Constrained,
        ids: Ids,
        certificate: Option<CertificateReading>,
        memory: Option<&mut MemoryReplay>,
    ) -> Step {
        let certificate = match certificate {
            Some(reading) => reading,
            None if constrained.needs_certificate() => {
                return self.wait(now, At::Certificate(constrained), ids, Step::NeedCertificate);
            }
            None => CertificateReading::Absent,
        };
        let possessed = match constrained.possession_checked(&certificate) {
            Ok(possessed) => possessed,
            Err(reason) => return Step::Rejected(reason),
        };
        let answer = match (possessed.mark(), memory) {
            (None, _) => ReplayAnswer::Fresh,
            (Some(mark), Some(memory)) => memory.claim(mark, now.as_seconds()),
            (Some(_), None) => {
                return self.wait(now, At::Replay(possessed), ids, Step::NeedReplay);
            }
        };
        self.conclude(possessed, answer, ids)
    }

    /// Goes on with the connection's certificate.
    pub fn certificate(
        &mut self,
        handle: u32,
        certificate: CertificateReading,
        memory: Option<&mut MemoryReplay>,
    ) -> Step {
        match self.pending.take(handle) {
            Some(Stage { now, at: At::Certificate(constrained), ids }) => {
                self.after_client(now, constrained, ids, Some(certificate), memory)
            }
            _ => Step::Rejected(Reason::Overloaded),
        }
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
    pub fn replay(&mut self, handle: u32, answer: ReplayAnswer) -> Step {
        match self.pending.take(handle) {
            Some(Stage { at: At::Replay(possessed), ids, .. }) => self.conclude(possessed, answer, ids),
            _ => Step::Rejected(Reason::Overloaded),
        }
    }

    fn conclude(&mut self, possessed: Possessed, answer: ReplayAnswer, mut ids: Ids) -> Step {
        match possessed.replay_checked(answer) {
            Ok(accepted) => {
                // Only now: with a token of their own and keys made up for it, somebody could else drive
                // everybody's keys out.
                if let Some(key) = accepted.jkt() {
                    let (id, gone) = self.keys.put(key, accepted.proof_header());
                    ids.key = id;
                    self.gone.keys.extend(Some(gone).filter(|gone| *gone != 0));
                }
                Step::Accepted(Outcome { accepted, token: ids.token, token_is_new: ids.token_is_new, key: ids.key })
            }
            Err(reason) => Step::Rejected(reason),
        }
    }

    /// Gives a waiting request up.
    pub fn abandon(&mut self, handle: u32) {
        self.pending.take(handle);
    }

    /// The nonce to give out now, if this server makes its own.
    #[must_use]
    pub fn current_nonce(&self, now: Timestamp) -> Option<String> {
        self.config.nonces.current(now)
    }

    /// What challenges say of this server.
    #[must_use]
    pub fn challenge_context(&self) -> ChallengeContext<'_> {
        ChallengeContext {
            constraint: self.config.policy.constraint,
            algorithms: self.config.policy.proof.algorithms,
            resource_metadata: self.config.resource_metadata.as_deref(),
        }
    }

    fn wait(&mut self, now: Timestamp, at: At, ids: Ids, step: impl FnOnce(u32) -> Step) -> Step {
        self.pending.insert(Stage { now, at, ids }, now).map_or(Step::Rejected(Reason::Overloaded), step)
    }
}
