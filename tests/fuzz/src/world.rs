//! Keys that really sign, and requests made of scripts with them.

use std::{cell::RefCell, collections::HashMap, sync::LazyLock};

use keybound_core::{
    base64url, json,
    server::{
        certificate::CertificateReading,
        jwks::Jwks,
        nonce::{NonceRole, NonceStatus, Nonces},
        policy::ClientType,
        reason::Reason,
    },
    signature::{SignatureCheck, SignatureError, SignatureVerifier},
    thumbprint::Thumbprint,
    time::Timestamp,
};
use keybound_rustcrypto::{RustCrypto, SigningKey};
use sha2::{Digest, Sha256};

use crate::script::Step;

pub const ISSUER: &str = "https://as.example";
pub const AUDIENCE: &str = "https://rs.example";
/// The connection's certificates.
pub const CERTIFICATES: [Thumbprint; 2] = [Thumbprint::from_bytes([0x11; 32]), Thumbprint::from_bytes([0x22; 32])];
/// How many clients' keys there are.
const CLIENTS: usize = 3;
/// How many signatures are remembered.
const MEMORY: usize = 50_000;

/// A key pair and its texts.
pub struct Pair {
    pub key: SigningKey,
    pub jwk: String,
    pub jkt: String,
}

impl Pair {
    fn new(octet: u8) -> Self {
        let key = SigningKey::from_secret(&[octet; 32]).expect("a secret key");
        let (jwk, jkt) = (key.public_key().to_jwk(), key.public_key().thumbprint().to_base64url());
        Self { key, jwk, jkt }
    }
}

static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| (1..=CLIENTS as u8).map(Pair::new).collect());
static ISSUERS: LazyLock<Pair> = LazyLock::new(|| Pair::new(0x42));

/// A client's key pair, and the next client's.
#[must_use]
pub fn clients(number: u8) -> (&'static Pair, &'static Pair) {
    let at = usize::from(number.wrapping_sub(b'1')) % CLIENTS;
    (&PAIRS[at], &PAIRS[(at + 1) % CLIENTS])
}

/// The issuer's key set.
#[must_use]
pub fn issuer_keys() -> Jwks {
    let jwk = &ISSUERS.jwk;
    let named = format!(r#"{{"keys":[{{"kid":"as-1","alg":"ES256","use":"sig",{}]}}"#, &jwk[1..]);
    Jwks::parse(&named).expect("a key set")
}

/// Stateless nonces of the server.
#[must_use]
pub fn nonces(role: NonceRole) -> Nonces {
    Nonces::new(vec![vec![5; 32], vec![6; 32]], 60, role, AUDIENCE).expect("a nonce policy")
}

/// What becomes of a good signature: the first letter decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing.
    None,
    /// `o`: another key signs.
    OtherKey,
    /// `b`: one bit changes.
    Bit,
    /// `t`: the last octet is missing.
    Truncated,
    /// `e`: there is none.
    Empty,
    /// `0`: it is all zeros.
    Zeros,
}

impl Damage {
    fn of(text: &str) -> Self {
        match text.bytes().next() {
            Some(b'o') => Self::OtherKey,
            Some(b'b') => Self::Bit,
            Some(b't') => Self::Truncated,
            Some(b'e') => Self::Empty,
            Some(b'0') => Self::Zeros,
            _ => Self::None,
        }
    }
}

/// A request made of a step.
pub struct Made {
    pub method: String,
    pub url: String,
    pub authorization: Vec<String>,
    pub dpop: Vec<String>,
    pub token: String,
    pub token_claims: String,
    pub now: Timestamp,
}

/// The texts that stand behind `$` and a letter.
struct Names {
    values: Vec<(u8, String)>,
}

impl Names {
    fn put(&mut self, name: u8, value: impl Into<String>) {
        self.values.push((name, value.into()));
    }

    fn fill(&self, text: &str) -> String {
        let mut parts = text.split('$');
        let mut out = parts.next().unwrap_or("").to_owned();
        for part in parts {
            let value = part.bytes().next().and_then(|name| self.values.iter().find(|(known, _)| *known == name));
            match value {
                Some((_, value)) => {
                    out.push_str(value);
                    out.push_str(&part[1..]);
                }
                None => {
                    out.push('$');
                    out.push_str(part);
                }
            }
        }
        out
    }
}

/// Makes the request of a step. Without `sign` the signatures are of the right length and worthless.
#[must_use]
pub fn make(step: &Step<'_>, sign: bool) -> Made {
    let (own, other) = clients(step.key);
    let now = step.now.parse::<f64>().ok().and_then(Timestamp::from_seconds_f64);
    let now = now.unwrap_or(Timestamp::from_seconds(1_780_000_000));
    let role = if step.grant.is_some() { NonceRole::AuthorizationServer } else { NonceRole::ResourceServer };
    let mut names = Names { values: Vec::new() };
    names.put(b'J', own.jwk.as_str());
    names.put(b'K', own.jkt.as_str());
    names.put(b'j', other.jwk.as_str());
    names.put(b'k', other.jkt.as_str());
    names.put(b'X', CERTIFICATES[0].to_base64url());
    names.put(b'Y', CERTIFICATES[1].to_base64url());
    names.put(b'N', now.as_seconds().to_string());
    names.put(b'O', nonces(role).current(now));
    names.put(b'o', nonces(role).current(now.plus_seconds(-60)));
    names.put(b'M', inside_string(step.method));
    names.put(b'U', inside_string(step.url));

    let token_claims = names.fill(step.token_claims);
    let signer = Signer { damage: Damage::of(step.token_damage), own: &ISSUERS, other: own, sign };
    let token = signer.compact(&names.fill(step.token_header), &token_claims);
    names.put(b'A', base64url::encode(&Sha256::digest(token.as_bytes())));
    names.put(b'T', token.as_str());
    let signer = Signer { damage: Damage::of(step.proof_damage), own, other, sign };
    let proof = signer.compact(&names.fill(step.proof_header), &names.fill(step.proof_claims));
    names.put(b'P', edited(proof, step.edits));
    let fill = |values: &[&str]| match values {
        ["-"] => Vec::new(),
        values => values.iter().map(|value| names.fill(value)).collect(),
    };
    Made {
        method: step.method.to_owned(),
        url: step.url.to_owned(),
        authorization: fill(&step.authorization),
        dpop: fill(&step.dpop),
        token,
        token_claims,
        now,
    }
}

/// As it stands within the quotes of a JSON string.
fn inside_string(text: &str) -> String {
    let mut quoted = String::new();
    json::write_string(text, &mut quoted);
    quoted[1..quoted.len() - 1].to_owned()
}

struct Signer<'a> {
    damage: Damage,
    own: &'a Pair,
    other: &'a Pair,
    sign: bool,
}

impl Signer<'_> {
    fn compact(&self, header: &str, payload: &str) -> String {
        let mut out = base64url::encode(header.as_bytes());
        out.push('.');
        base64url::encode_into(payload.as_bytes(), &mut out);
        let mut signature = match self.damage {
            Damage::Zeros => vec![0; 64],
            Damage::Empty => Vec::new(),
            _ if !self.sign => vec![1; 64],
            Damage::OtherKey => sign(self.other, &out),
            _ => sign(self.own, &out),
        };
        match self.damage {
            Damage::Bit => signature[40] ^= 4,
            Damage::Truncated => drop(signature.pop()),
            _ => {}
        }
        out.push('.');
        base64url::encode_into(&signature, &mut out);
        out
    }
}

/// `12A` writes, `12-` removes, `12+A` inserts; a place beyond the end is counted round.
fn edited(text: String, edits: &str) -> String {
    let mut octets = text.into_bytes();
    for edit in edits.split(' ').filter(|edit| !edit.is_empty()).take(8) {
        let digits = edit.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(at) = edit[..digits].parse::<usize>() else { continue };
        if octets.is_empty() {
            break;
        }
        let at = at % octets.len();
        match edit.as_bytes().get(digits..) {
            Some([b'-']) => drop(octets.remove(at)),
            Some([b'+', octet]) if octet.is_ascii() => octets.insert(at, *octet),
            Some([octet]) if octet.is_ascii() => octets[at] = *octet,
            _ => {}
        }
    }
    String::from_utf8(octets).unwrap_or_default()
}

/// Who signs, and the hash of what.
type MessageOf = (*const Pair, [u8; 32]);

thread_local! {
    static SIGNED: RefCell<HashMap<MessageOf, [u8; 64]>> = RefCell::new(HashMap::new());
    static VERIFIED: RefCell<HashMap<[u8; 32], bool>> = RefCell::new(HashMap::new());
}

/// Signs, and remembers: most of what a fuzzer makes it has made before.
fn sign(pair: &Pair, message: &str) -> Vec<u8> {
    let name = (std::ptr::from_ref(pair), Sha256::digest(message.as_bytes()).into());
    SIGNED.with_borrow_mut(|signed| {
        if signed.len() > MEMORY {
            signed.clear();
        }
        signed.entry(name).or_insert_with(|| pair.key.sign(message.as_bytes())).to_vec()
    })
}

/// Verifies for real, and remembers: each request is decided several times.
pub struct Verifier;

impl SignatureVerifier for Verifier {
    fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        let mut hash = Sha256::new();
        for part in
            [check.algorithm.name().as_bytes(), check.key.thumbprint().as_bytes(), check.signature, check.message]
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let name: [u8; 32] = hash.finalize().into();
        let known = VERIFIED.with_borrow(|verified| verified.get(&name).copied());
        let good = known.unwrap_or_else(|| {
            let good = RustCrypto.verify(check).is_ok();
            VERIFIED.with_borrow_mut(|verified| {
                if verified.len() > MEMORY {
                    verified.clear();
                }
                verified.insert(name, good);
            });
            good
        });
        if good { Ok(()) } else { Err(SignatureError) }
    }
}

#[must_use]
pub fn nonce_status(step: &Step<'_>) -> NonceStatus {
    match step.nonce.bytes().next() {
        Some(b'c') => NonceStatus::Current,
        Some(b'p') => NonceStatus::Previous,
        Some(b's') => NonceStatus::Stale,
        _ => NonceStatus::Unknown,
    }
}

#[must_use]
pub fn client_type(step: &Step<'_>) -> ClientType {
    if step.client.starts_with('c') { ClientType::Confidential } else { ClientType::Public }
}

#[must_use]
pub fn certificate(step: &Step<'_>) -> CertificateReading {
    match step.certificate {
        "x" => CertificateReading::Certificate(CERTIFICATES[0]),
        "y" => CertificateReading::Certificate(CERTIFICATES[1]),
        "!" => CertificateReading::Refused(Reason::CertificateUnverified),
        _ => CertificateReading::Absent,
    }
}
