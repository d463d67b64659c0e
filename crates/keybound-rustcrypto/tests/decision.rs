//! A resource server's whole decision in native code: proofs of our own client accepted, everything
//! else refused, nothing panics, nothing hostile is dear.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use keybound_core::{
    algorithm::Algorithm,
    base64url,
    proof::{
        build::{AccessTokenHash, ProofRequest, ProofTemplate},
        check::ProofPolicy,
    },
    server::{
        certificate::CertificateReading,
        nonce::NonceStatus,
        reason::Reason,
        replay::MemoryReplay,
        request::Request,
        resource_server::{Accepted, Presented, ResourcePolicy, Surroundings, TokenCheck, authenticate},
        token::VerifiedToken,
    },
    time::Timestamp,
};
use keybound_rustcrypto::{RustCrypto, SigningKey};

const URL: &str = "https://rs.example/items";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const NOW: i64 = 1_780_000_000;

struct Client {
    key: SigningKey,
    template: ProofTemplate,
}

impl Client {
    fn new(octet: u8) -> Self {
        let key = SigningKey::from_secret(&[octet; 32]).unwrap();
        let template = ProofTemplate::new(Algorithm::Es256, key.public_key().clone()).unwrap();
        Self { key, template }
    }

    fn proof(&self, method: &str, url: &str, jti: u8) -> String {
        let ath = AccessTokenHash::of(TOKEN).unwrap();
        let jti = [jti; 16];
        let request = ProofRequest { access_token: Some(&ath), ..ProofRequest::new(method, url, NOW, &jti) };
        let input = self.template.signing_input(&request).unwrap();
        let signature = self.key.sign(input.as_bytes());
        self.template.finish(input, &signature).unwrap()
    }

    fn jkt(&self) -> String {
        self.key.public_key().thumbprint().to_base64url()
    }
}

fn ask(authorization: &[&str], dpop: &[&str], jkt: &str, replay: &mut MemoryReplay) -> Result<Accepted, Reason> {
    let claims = format!(r#"{{"sub":"ada","cnf":{{"jkt":"{jkt}"}}}}"#);
    let token = VerifiedToken::from_source(true, &claims, &[], &[]).map(Arc::new);
    authenticate(
        &Request { method: "GET", url: URL, authorization, dpop },
        &ResourcePolicy::default(),
        TokenCheck::Resolved(token),
        Timestamp::from_seconds(NOW),
        Surroundings {
            verifier: &RustCrypto,
            replay,
            nonce: |_: &str| NonceStatus::Unknown,
            certificate: CertificateReading::Absent,
        },
    )
}

#[test]
fn a_proof_of_our_own_is_accepted_once_and_for_its_own_request_only() {
    let client = Client::new(7);
    let replay = &mut MemoryReplay::new(100, 100);
    let authorization = format!("DPoP {TOKEN}");
    let authorization = &[authorization.as_str()];
    let proof = client.proof("GET", URL, 1);
    let accepted = ask(authorization, &[&proof], &client.jkt(), replay).unwrap();
    assert_eq!(accepted.jkt().map(|jkt| jkt.to_base64url()), Some(client.jkt()));
    assert!(accepted.claims_json().contains("ada"));
    let mut again = |proof: String, jkt: &str| ask(authorization, &[&proof], jkt, replay).err();
    assert_eq!(again(proof, &client.jkt()), Some(Reason::ProofReplayed));
    assert_eq!(again(client.proof("POST", URL, 2), &client.jkt()), Some(Reason::HtmMismatch));
    assert_eq!(again(client.proof("GET", "https://rs.example/other", 2), &client.jkt()), Some(Reason::HtuPathMismatch));
    assert_eq!(again(Client::new(8).proof("GET", URL, 2), &client.jkt()), Some(Reason::JktMismatch));
    // What was refused has not burnt its jti.
    assert_eq!(again(client.proof("GET", URL, 2), &client.jkt()), None);
}

#[test]
fn no_change_of_a_proof_is_accepted_and_none_panics() {
    let client = Client::new(7);
    let authorization = format!("DPoP {TOKEN}");
    let proof = client.proof("GET", URL, 1);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let alphabet = b"ABCabc019-_.=+/, \"\\{}\x00\x7f";
    for round in 0..3000 {
        let mut octets = proof.clone().into_bytes();
        for _ in 0..=random(3) {
            let at = random(octets.len());
            match random(4) {
                0 => octets[at] = alphabet[random(alphabet.len())],
                1 => octets.insert(at, alphabet[random(alphabet.len())]),
                2 => {
                    octets.remove(at);
                }
                _ => octets.truncate(at.max(1)),
            }
        }
        let Ok(changed) = String::from_utf8(octets) else { continue };
        if changed.trim_matches([' ', '\t']) == proof {
            continue;
        }
        let outcome = ask(&[&authorization], &[&changed], &client.jkt(), &mut MemoryReplay::new(10, 10));
        assert!(outcome.is_err(), "round {round}: {changed}");
    }
}

/// The bound is 5 ms for 64 KiB, natively; without optimisation everything takes far longer.
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 150 } else { 5 });

#[test]
fn sixty_four_kibioctets_of_anything_are_refused_cheaply() {
    let header = |json: &str| base64url::encode(json.as_bytes());
    let fill = |json: &str, len: usize| json.repeat(len / json.len());
    let long = 64 * 1024;
    let raw = long * 3 / 4 - 200;
    let good = header(r#"{"typ":"dpop+jwt","alg":"ES256"}"#);
    let members: String = (0..raw / 12).map(|index| format!("\"{index:06}\":0,")).collect();
    let modulus = base64url::encode(&vec![0xff; raw / 2]);
    let hostile = [
        ".".repeat(long),
        "a".repeat(long),
        format!("{good}.{}.AAAA", header(&fill("[", raw))),
        format!("{good}.{}.AAAA", header(&format!("{{{members}\"x\":0}}"))),
        format!("{good}.{}.AAAA", header(&format!("{{{}\"x\":0}}", fill("\"a\":0,", raw)))),
        format!("{good}.{}.AAAA", header(&format!("{{\"a\":\"{}\"}}", fill("\\u0041", raw)))),
        format!("{good}.{}.AAAA", header(&format!("{{\"iat\":{}}}", "9".repeat(raw)))),
        format!("{good}.{}.AAAA", header(&format!("{{\"a\":[{}0]}}", fill("0,", raw)))),
        format!(
            "{}.e30.AAAA",
            header(&format!(r#"{{"typ":"dpop+jwt","alg":"RS256","jwk":{{"kty":"RSA","e":"AQAB","n":"{modulus}"}}}}"#))
        ),
        "\u{e4}".repeat(long / 2),
    ];
    let policy = ResourcePolicy {
        proof: ProofPolicy { max_proof_bytes: 2 * long, ..ProofPolicy::DEFAULT },
        ..ResourcePolicy::default()
    };
    let authorization = format!("DPoP {TOKEN}");
    for proof in &hostile {
        let fastest = (0..7)
            .map(|_| {
                let started_at = Instant::now();
                let request = Request { method: "GET", url: URL, authorization: &[&authorization], dpop: &[proof] };
                assert!(Presented::read(&request, &policy, Timestamp::from_seconds(NOW)).is_err());
                started_at.elapsed()
            })
            .min()
            .unwrap();
        assert!(fastest < PATIENCE, "{fastest:?} for {}...", proof.get(..60).unwrap_or("?"));
    }
}

#[test]
fn a_proof_of_more_than_sixteen_kibioctets_is_not_even_decoded() {
    let authorization = format!("DPoP {TOKEN}");
    let long = "A".repeat(16 * 1024 + 1);
    let outcome = ask(&[&authorization], &[&long], &Client::new(7).jkt(), &mut MemoryReplay::new(10, 10));
    assert_eq!(outcome.err(), Some(Reason::ProofTooLarge));
}
