//! Signatures and keys that standards have published (`tests/vectors`).

use keybound_core::{
    algorithm::{Algorithm, KeyType},
    base64url,
    key::{KeyParts, PublicKey},
    sha256,
    thumbprint::Thumbprint,
};
use serde_json::Value;

use crate::{Provider, verifies};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// RFC 9449, figures 2, 5, 7 and 13.
pub async fn the_proofs_of_rfc_9449_verify<P: Provider>(provider: &P) -> String {
    let file = json(include_str!("../../vectors/rfc9449.json"));
    let proofs = file["proofs"].as_array().unwrap();
    for proof in proofs {
        let compact = proof["compact"].as_str().unwrap();
        let (message, signature) = compact.rsplit_once('.').unwrap();
        let key = PublicKey::from_jwk(&proof["header"]["jwk"].to_string()).unwrap();
        assert_eq!(key.thumbprint().to_base64url(), file["jkt"].as_str().unwrap());
        let signature = base64url::decode(signature).unwrap();
        let expected = proof["signature_verifies"].as_bool().unwrap();
        assert_eq!(verifies(provider, Algorithm::Es256, &key, message.as_bytes(), &signature).await, expected);
        // Header and payload without the dot between them.
        let message = message.replace('.', "");
        assert!(!verifies(provider, Algorithm::Es256, &key, message.as_bytes(), &signature).await);
    }
    assert_eq!(proofs.len(), 4);
    format!("{} proofs", proofs.len())
}

/// RFC 8705 appendix A (self-signed) and RFC 9440 appendix A (a chain of three).
pub async fn the_certificates_of_rfc_8705_and_rfc_9440_verify<P: Provider>(provider: &P) -> String {
    let self_signed = json(include_str!("../../vectors/rfc8705.json"));
    let certificate = Certificate::from_pem(self_signed["pem"].as_str().unwrap());
    assert_eq!(certificate.key, PublicKey::from_jwk(&self_signed["jwk"].to_string()).unwrap());
    assert_eq!(certificate.thumbprint.to_base64url(), self_signed["x5t#S256"].as_str().unwrap());
    assert!(certificate.is_signed_by(provider, &certificate.key).await);

    let file = json(include_str!("../../vectors/rfc9440.json"));
    let chain: Vec<Certificate> = file["certs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let certificate = Certificate::from_pem(entry["pem"].as_str().unwrap());
            assert_eq!(certificate.thumbprint.to_base64url(), entry["x5t#S256"].as_str().unwrap());
            certificate
        })
        .collect();
    let [leaf, intermediate, root] = &chain[..] else { panic!("{} certificates", chain.len()) };
    for (certificate, issuer) in [(leaf, intermediate), (intermediate, root), (root, root)] {
        assert!(certificate.is_signed_by(provider, &issuer.key).await);
    }
    assert!(!leaf.is_signed_by(provider, &root.key).await);
    "4 certificates".into()
}

/// RFC 7638 §3.1, RFC 8037 appendix A.3, RFC 9449 §6.1, RFC 7515 appendix A.3.
pub async fn published_keys_have_their_thumbprints<P: Provider>(provider: &P) -> String {
    let file = json(include_str!("../../vectors/jwk-thumbprints.json"));
    let vectors = file["vectors"].as_array().unwrap();
    for vector in vectors {
        let key = PublicKey::from_jwk(&vector["jwk"].to_string()).unwrap();
        assert_eq!(key.thumbprint().to_base64url(), vector["thumbprint"].as_str().unwrap());
        if let Some(canonical) = vector["canonical"].as_str() {
            assert_eq!(key.to_jwk(), canonical);
        }
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.key_type() == key.key_type()) {
            let signature = vec![1; key.signature_len(algorithm)];
            assert!(!verifies(provider, algorithm, &key, b"message", &signature).await);
        }
    }
    // RFC 8037 appendix A.4 has a signature of the second key.
    if provider.algorithms().contains(Algorithm::EdDsa) {
        let key = PublicKey::from_jwk(&vectors[1]["jwk"].to_string()).unwrap();
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            base64url::decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
        assert!(verifies(provider, Algorithm::EdDsa, &key, message, &signature.unwrap()).await);
    }
    format!("{} keys", vectors.len())
}

/// As much of an X.509 certificate with a P-256 key and an ES256 signature as it takes to check it.
struct Certificate {
    thumbprint: Thumbprint,
    signed: Vec<u8>,
    signature: Vec<u8>,
    key: PublicKey,
}

impl Certificate {
    fn from_pem(pem: &str) -> Self {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let body = body.replace('+', "-").replace('/', "_");
        let der = base64url::decode(body.trim_end_matches('=')).unwrap();

        let (certificate, _) = element(&der, 0x30);
        let (to_be_signed, rest) = element(certificate, 0x30);
        let signed = certificate[..certificate.len() - rest.len()].to_vec();
        let (_, rest) = element(rest, 0x30);
        let (bits, _) = element(rest, 3);
        let (pair, _) = element(&bits[1..], 0x30);
        let (r, rest) = element(pair, 2);
        let (s, _) = element(rest, 2);

        // SubjectPublicKeyInfo of P-256 (RFC 5480 §2): its algorithm identifier, a bit string, an
        // uncompressed point.
        const SPKI: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
        let at = to_be_signed.windows(SPKI.len()).position(|window| window == SPKI).unwrap() + SPKI.len();
        let (x, y) = to_be_signed[at..at + 64].split_at(32);
        Self {
            thumbprint: Thumbprint::from_bytes(sha256::digest(&der)),
            signed,
            signature: [full_length(r), full_length(s)].concat(),
            key: PublicKey::from_parts(KeyParts::Ec { key_type: KeyType::P256, x, y }).unwrap(),
        }
    }

    async fn is_signed_by<P: Provider>(&self, provider: &P, key: &PublicKey) -> bool {
        verifies(provider, Algorithm::Es256, key, &self.signed, &self.signature).await
    }
}

/// The content of a DER element with this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> (&[u8], &[u8]) {
    assert_eq!(der[0], tag);
    let (length, rest) = match der[1] {
        0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), &der[4..]),
        0x81 => (usize::from(der[2]), &der[3..]),
        length => (usize::from(length), &der[2..]),
    };
    rest.split_at(length)
}

fn full_length(integer: &[u8]) -> Vec<u8> {
    let start = integer.iter().position(|octet| *octet != 0).unwrap();
    let number = &integer[start..];
    [vec![0; 32 - number.len()], number.to_vec()].concat()
}
