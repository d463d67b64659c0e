//! Wycheproof's vectors, as `build.rs` wrote them.

use keybound_core::{
    algorithm::{Algorithm, KeyType},
    key::{KeyError, KeyParts, PublicKey},
};

const WYCHEPROOF: &str = include_str!(concat!(env!("OUT_DIR"), "/wycheproof.txt"));

/// What Wycheproof says about a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Valid,
    Invalid,
    Acceptable,
}

#[derive(Clone, Debug)]
pub(crate) struct Vector {
    pub(crate) id: usize,
    pub(crate) verdict: Verdict,
    pub(crate) key: Result<PublicKey, KeyError>,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The vectors of one set.
pub(crate) fn set(name: &str) -> Vec<Vector> {
    let mut vectors = Vec::new();
    let mut key = Err(KeyError::NotAnObject);
    let lines = WYCHEPROOF.lines().skip_while(|line| line.strip_prefix("set ") != Some(name)).skip(1);
    for line in lines.take_while(|line| !line.starts_with("set ")) {
        if let Some(parts) = line.strip_prefix("key ") {
            key = read_key(parts);
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let ["test", id, verdict, message, signature] = fields[..] else { panic!("{line}") };
        vectors.push(Vector {
            id: id.parse().unwrap(),
            verdict: match verdict {
                "valid" => Verdict::Valid,
                "invalid" => Verdict::Invalid,
                "acceptable" => Verdict::Acceptable,
                _ => panic!("{verdict}"),
            },
            key: key.clone(),
            message: unhex(message),
            signature: unhex(signature),
        });
    }
    assert!(!vectors.is_empty(), "no set {name}");
    vectors
}

fn read_key(parts: &str) -> Result<PublicKey, KeyError> {
    match parts.split(' ').collect::<Vec<_>>()[..] {
        ["EC", curve, x, y] => {
            let key_type = match curve {
                "256" => KeyType::P256,
                "384" => KeyType::P384,
                "521" => KeyType::P521,
                _ => panic!("{curve}"),
            };
            PublicKey::from_parts(KeyParts::Ec { key_type, x: &unhex(x), y: &unhex(y) })
        }
        ["RSA", n, e] => PublicKey::from_parts(KeyParts::Rsa { n: &unhex(n), e: &unhex(e) }),
        ["OKP", x] => PublicKey::from_parts(KeyParts::Ed25519 { x: &unhex(x).try_into().unwrap() }),
        _ => panic!("{parts}"),
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| core::str::from_utf8(pair).unwrap());
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}

/// A good signature for each algorithm, to be spoiled in one way or other.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: PublicKey,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

pub(crate) fn samples() -> Vec<Sample> {
    [
        (Algorithm::Es256, "ecdsa_secp256r1_sha256_p1363"),
        (Algorithm::Es384, "ecdsa_secp384r1_sha384_p1363"),
        (Algorithm::Es512, "ecdsa_secp521r1_sha512_p1363"),
        (Algorithm::Rs256, "rsa_signature_2048_sha256"),
        (Algorithm::Ps256, "rsa_pss_2048_sha256_mgf1_32"),
        (Algorithm::EdDsa, "ed25519"),
        (Algorithm::Ed25519, "ed25519"),
    ]
    .into_iter()
    .map(|(algorithm, name)| {
        let vector = set(name)
            .into_iter()
            .find(|vector| vector.verdict == Verdict::Valid && !vector.message.is_empty())
            .unwrap();
        let (key, message, signature) = (vector.key.unwrap(), vector.message, vector.signature);
        Sample { algorithm, key, message, signature }
    })
    .collect()
}
