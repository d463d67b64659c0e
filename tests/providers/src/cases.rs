//! Signatures and keys that are wrong in one way each, made of good ones.

use keybound_core::{
    algorithm::{Algorithm, KeyType},
    key::{KeyError, KeyParts, PublicKey},
};

use crate::{
    Provider,
    vectors::{Sample, samples, unhex},
    verifies,
};

/// The samples that this provider can check.
fn supported<P: Provider>(provider: &P) -> Vec<Sample> {
    samples().into_iter().filter(|sample| provider.algorithms().contains(sample.algorithm)).collect()
}

/// The order of a curve's group (SEC 2 §2.4.2, §2.5.1, §2.6.1).
fn order(algorithm: Algorithm) -> Option<Vec<u8>> {
    Some(unhex(match algorithm {
        Algorithm::Es256 => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        Algorithm::Es384 => {
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        }
        Algorithm::Es512 => {
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
        }
        _ => return None,
    }))
}

/// Big-endian numbers of one length: the difference, modulo their range.
fn difference(minuend: &[u8], subtrahend: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut octets: Vec<u8> = minuend
        .iter()
        .zip(subtrahend)
        .rev()
        .map(|(a, b)| {
            let octet = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(octet < 0);
            octet.rem_euclid(256) as u8
        })
        .collect();
    octets.reverse();
    octets
}

fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    difference(a, &difference(&vec![0; b.len()], b))
}

/// RFC 7518 §3.4 says nothing against it, and half of all signers make it.
pub async fn high_s_is_valid<P: Provider>(provider: &P) -> String {
    let mut checked = 0;
    for sample in supported(provider) {
        let Some(order) = order(sample.algorithm) else { continue };
        let (r, s) = sample.signature.split_at(order.len());
        let other = difference(&order, s);
        assert_ne!(s, other);
        // One of the two is the high one.
        for s in [s, other.as_slice()] {
            let signature = [r, s].concat();
            assert!(
                verifies(provider, sample.algorithm, &sample.key, &sample.message, &signature).await,
                "{:?}",
                sample.algorithm
            );
            checked += 1;
        }
    }
    format!("{checked} signatures, S and the order less S")
}

/// A DER integer (X.690 §8.3): as short as can be, and not negative.
fn der_integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|octet| *octet != 0).unwrap();
    let mut octets = number[start..].to_vec();
    if octets[0] >= 0x80 {
        octets.insert(0, 0);
    }
    [vec![2, u8::try_from(octets.len()).unwrap()], octets].concat()
}

/// RFC 7518 §3.4: `R || S`, not the ASN.1 sequence that TLS and X.509 have.
pub async fn der_is_refused<P: Provider>(provider: &P) -> String {
    let mut checked = 0;
    for sample in supported(provider) {
        let Some(order) = order(sample.algorithm) else { continue };
        let (r, s) = sample.signature.split_at(order.len());
        let content = [der_integer(r), der_integer(s)].concat();
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 0x80 { vec![0x30, length] } else { vec![0x30, 0x81, length] };
        let signature = [head, content].concat();
        assert!(!verifies(provider, sample.algorithm, &sample.key, &sample.message, &signature).await);
        checked += 1;
    }
    format!("{checked} DER signatures refused")
}

/// Shorter, longer, empty, or with zeros before or after.
pub async fn any_other_length_is_refused<P: Provider>(provider: &P) -> String {
    let mut checked = 0;
    for Sample { algorithm, key, message, signature } in supported(provider) {
        let len = signature.len();
        assert_eq!(len, key.signature_len(algorithm));
        assert!(verifies(provider, algorithm, &key, &message, &signature).await);
        let zero = [0].as_slice();
        let half = len / 2;
        for other in [
            Vec::new(),
            signature[..1].to_vec(),
            signature[..half].to_vec(),
            signature[..len - 1].to_vec(),
            signature[1..].to_vec(),
            [&signature, zero].concat(),
            [zero, &signature].concat(),
            // Each half one octet longer.
            [zero, &signature[..half], zero, &signature[half..]].concat(),
            [signature.as_slice(), &signature].concat(),
        ] {
            assert!(
                !verifies(provider, algorithm, &key, &message, &other).await,
                "{algorithm:?} takes {} octets",
                other.len()
            );
            checked += 1;
        }
    }
    format!("{checked} signatures of other lengths refused")
}

/// FIPS 186-5 §6.4.2: both from 1 to the order less one. All zeros once passed for a signature of
/// any message in Java (CVE-2022-21449).
pub async fn r_and_s_out_of_range_are_refused<P: Provider>(provider: &P) -> String {
    let mut checked = 0;
    for Sample { algorithm, key, message, signature } in supported(provider) {
        let len = signature.len();
        let mut wrong = vec![vec![0; len], vec![0xff; len], [vec![0; len - 1], vec![1]].concat()];
        if let Some(order) = order(algorithm) {
            let (r, s) = signature.split_at(order.len());
            let zero = vec![0; order.len()];
            let one = [&zero[1..], &[1]].concat();
            for number in [&zero, &order, &vec![0xff; order.len()]] {
                wrong.push([number.as_slice(), s].concat());
                wrong.push([r, number.as_slice()].concat());
            }
            wrong.push([zero.as_slice(), &one].concat());
            wrong.push([one.as_slice(), &zero].concat());
            wrong.push([order.as_slice(), &order].concat());
            // The same numbers modulo the order: where they have the room (P-521), or cut off.
            wrong.push([sum(r, &order), s.to_vec()].concat());
            wrong.push([r.to_vec(), sum(s, &order)].concat());
        }
        for signature in wrong {
            assert!(!verifies(provider, algorithm, &key, &message, &signature).await, "{algorithm:?} {signature:02x?}");
            checked += 1;
        }
    }
    format!("{checked} signatures out of range refused")
}

/// RFC 8725 §3.4. Points off the curve lie on weaker ones.
pub async fn a_point_off_its_curve_is_refused<P: Provider>(provider: &P) -> String {
    let mut checked = 0;
    for Sample { algorithm, key, message, signature } in supported(provider) {
        let keys = match key.parts() {
            KeyParts::Ec { key_type, x, y } => {
                let mut other_y = y.to_vec();
                *other_y.last_mut().unwrap() ^= 1;
                let zero = vec![0; x.len()];
                vec![
                    PublicKey::from_parts(KeyParts::Ec { key_type, x, y: &other_y }),
                    PublicKey::from_parts(KeyParts::Ec { key_type, x: y, y: x }),
                    // What some libraries write for the point at infinity.
                    PublicKey::from_parts(KeyParts::Ec { key_type, x: &zero, y: &zero }),
                ]
            }
            KeyParts::Ed25519 { .. } if provider.dies_of_points_off_ed25519() => continue,
            KeyParts::Ed25519 { .. } => {
                // No point of the curve has y = 2.
                let mut x = [0; 32];
                x[0] = 2;
                vec![PublicKey::from_parts(KeyParts::Ed25519 { x: &x })]
            }
            _ => continue,
        };
        for key in keys {
            // Core knows no curve equations: it is the provider that must refuse.
            let key = key.unwrap();
            assert!(!verifies(provider, algorithm, &key, &message, &signature).await, "{algorithm:?} {}", key.to_jwk());
            checked += 1;
        }
    }
    format!("{checked} points off the curve refused")
}

/// Every bit counts.
pub async fn a_changed_message_or_signature_is_refused<P: Provider>(provider: &P) -> String {
    let mut checked = 0;
    for Sample { algorithm, key, message, signature } in supported(provider) {
        for at in [0, 1, signature.len() / 2 - 1, signature.len() / 2, signature.len() - 1] {
            for bit in [1, 0x80] {
                let mut changed = signature.clone();
                changed[at] ^= bit;
                assert!(!verifies(provider, algorithm, &key, &message, &changed).await);
                checked += 1;
            }
        }
        let mut other = message.clone();
        other[0] ^= 1;
        for message in [other, [&message, [0].as_slice()].concat(), message[1..].to_vec()] {
            assert!(!verifies(provider, algorithm, &key, &message, &signature).await);
            checked += 1;
        }
    }
    format!("{checked} changes noticed")
}

/// RFC 8725 §3.1. Both names of Ed25519 are one algorithm (RFC 9864 §2.2).
pub async fn a_key_serves_its_own_algorithms_only<P: Provider>(provider: &P) -> String {
    let mut checked = 0;
    for Sample { algorithm, key, message, signature } in supported(provider) {
        for other in Algorithm::ALL {
            let same =
                algorithm.key_type() == other.key_type() && algorithm.key_type() != KeyType::Rsa || algorithm == other;
            assert_eq!(
                verifies(provider, other, &key, &message, &signature).await,
                same,
                "a signature of {algorithm:?} as {other:?}"
            );
            checked += 1;
        }
    }
    format!("{checked} pairs of algorithms")
}

/// RFC 7518 §3.3, §6.3.1. Keys at the bounds are taken, keys beyond them do not come into being.
pub async fn rsa_keys_out_of_bounds_are_refused<P: Provider>(provider: &P) -> String {
    let rsa = |n: &[u8], e: &[u8]| PublicKey::from_parts(KeyParts::Rsa { n, e });
    let bits = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= n.len() * 8 - bits;
        n
    };
    let n = bits(2048);
    for (n, e, error) in [
        (bits(1024), vec![1, 0, 1], KeyError::RsaModulus),
        (bits(2047), vec![1, 0, 1], KeyError::RsaModulus),
        (bits(8193), vec![1, 0, 1], KeyError::RsaModulus),
        ([&n[1..], &[0xfe]].concat(), vec![1, 0, 1], KeyError::RsaModulus),
        ([&[0], n.as_slice()].concat(), vec![1, 0, 1], KeyError::RsaLeadingZero),
        (n.clone(), vec![0, 1, 0, 1], KeyError::RsaLeadingZero),
        (n.clone(), vec![1], KeyError::RsaExponent),
        (n.clone(), vec![2], KeyError::RsaExponent),
        (n.clone(), vec![1, 0, 0], KeyError::RsaExponent),
        (n.clone(), vec![1, 0, 0, 0, 1], KeyError::RsaExponent),
    ] {
        assert_eq!(rsa(&n, &e), Err(error), "{} octets, {e:?}", n.len());
    }
    let mut checked = 0;
    for n in [bits(2048), bits(2049), bits(8191), bits(8192)] {
        for e in [vec![3], vec![1, 0, 1], vec![0xff; 4]] {
            let key = rsa(&n, &e).unwrap();
            for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
                // One is its own power: the smallest signature that reaches the padding check.
                let signature = [vec![0; n.len() - 1], vec![1]].concat();
                assert!(!verifies(provider, algorithm, &key, b"message", &signature).await);
                checked += 1;
            }
        }
    }
    format!("10 keys out of bounds refused, {checked} signatures of keys at the bounds refused without a fault")
}
