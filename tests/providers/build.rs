//! Writes the vectors as lines of text: Wycheproof's, and Ed25519 signatures around the points of small order.

#![allow(clippy::arithmetic_side_effects, reason = "the operators of curve25519-dalek cannot overflow")]

use core::{
    error::Error,
    fmt::{self, Write as _},
};
use std::{env, fs, path::Path};

use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
use sha2::{Digest as _, Sha512};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let directory = env::var("OUT_DIR")?;
    fs::write(Path::new(&directory).join("wycheproof.txt"), wycheproof_sets()?)?;
    fs::write(Path::new(&directory).join("ed25519_small_order.txt"), small_order_signatures())?;
    Ok(())
}

/// `set NAME`, `key PARTS...` and `test ID RESULT MESSAGE SIGNATURE`, one a line, octets in hex.
fn wycheproof_sets() -> Result<String, Box<dyn Error>> {
    let mut out = String::new();
    for name in [
        "ecdsa_secp256r1_sha256_p1363",
        "ecdsa_secp384r1_sha384_p1363",
        "ecdsa_secp521r1_sha512_p1363",
        "ecdsa_secp256r1_sha256",
        "ecdsa_secp384r1_sha384",
        "ecdsa_secp521r1_sha512",
        "ecdsa_secp256r1_sha512_p1363",
    ] {
        writeln!(out, "set {name}")?;
        for group in ecdsa::TestSet::load(name.parse()?)?.test_groups {
            let curve = name.get("ecdsa_secp".len()..).and_then(|rest| rest.get(..3)).unwrap_or("");
            // 04, x, y
            let point = group.key.key.get(1..).unwrap_or_default();
            let (x, y) = point.split_at(point.len().div_euclid(2));
            writeln!(out, "key EC {curve} {} {}", hex(x), hex(y))?;
            for test in group.tests {
                write_test(&mut out, test.tc_id, test.result, &test.msg, &test.sig)?;
            }
        }
    }
    writeln!(out, "set ed25519")?;
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519)?.test_groups {
        writeln!(out, "key OKP {}", hex(&group.key.pk))?;
        for test in group.tests {
            write_test(&mut out, test.tc_id, test.result, &test.msg, &test.sig)?;
        }
    }
    for name in [
        "rsa_signature_2048_sha256",
        "rsa_signature_3072_sha256",
        "rsa_signature_4096_sha256",
        "rsa_signature_8192_sha256",
        "rsa_signature_2048_sha512",
    ] {
        writeln!(out, "set {name}")?;
        for group in pkcs1::TestSet::load(name.parse()?)?.test_groups {
            write_rsa_key(&mut out, &group.key.n, &group.key.e)?;
            for test in group.tests {
                write_test(&mut out, test.tc_id, test.result, &test.msg, &test.sig)?;
            }
        }
    }
    for name in [
        "rsa_pss_2048_sha256_mgf1_32",
        "rsa_pss_3072_sha256_mgf1_32",
        "rsa_pss_4096_sha256_mgf1_32",
        "rsa_pss_2048_sha256_mgf1_0",
        "rsa_pss_2048_sha256_mgf1sha1_20",
        "rsa_pss_2048_sha384_mgf1_48",
    ] {
        writeln!(out, "set {name}")?;
        for group in pss::TestSet::load(name.parse()?)?.test_groups {
            write_rsa_key(&mut out, &group.key.n, &group.key.e)?;
            for test in group.tests {
                write_test(&mut out, test.tc_id, test.result, &test.msg, &test.sig)?;
            }
        }
    }
    Ok(out)
}

/// The numbers of a JWK have no leading zeros (RFC 7518 §6.3.1), ASN.1's have.
fn write_rsa_key(out: &mut String, n: &[u8], e: &[u8]) -> fmt::Result {
    let minimal = |number: &[u8]| hex(number.get(usize::from(number.first() == Some(&0))..).unwrap_or_default());
    writeln!(out, "key RSA {} {}", minimal(n), minimal(e))
}

fn write_test(out: &mut String, id: usize, result: TestResult, message: &[u8], signature: &[u8]) -> fmt::Result {
    let result = match result {
        TestResult::Valid => "valid",
        TestResult::Invalid => "invalid",
        TestResult::Acceptable => "acceptable",
    };
    // Fields may be empty: tabs keep them apart.
    writeln!(out, "test\t{id}\t{result}\t{}\t{}", hex(message), hex(signature))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Signatures that only the holder of the secret can make, with a point of small order added to the
/// key, to `R`, or in place of `R`. `NAME KEY MESSAGE SIGNATURE`, one a line.
///
/// The equation without cofactor (RFC 8032 §5.1.7, last sentence: "it's sufficient, but not required")
/// is `S B = R + k A`; with it, all three are multiplied by eight, and points of small order vanish.
fn small_order_signatures() -> String {
    let secret = Scalar::from_bytes_mod_order([7; 32]);
    let nonce = Scalar::from_bytes_mod_order([9; 32]);
    let [identity, torsion, ..] = EIGHT_TORSION;
    let prime_key = EdwardsPoint::mul_base(&secret);
    let prime_r = EdwardsPoint::mul_base(&nonce);
    // (what it is, the key, R, the secret part of R)
    let cases = [
        ("ordinary", prime_key, prime_r, nonce),
        ("mixed_key", prime_key + torsion, prime_r, nonce),
        ("mixed_r", prime_key, prime_r + torsion, nonce),
        ("identity_r", prime_key, identity, Scalar::ZERO),
        ("small_order_r", prime_key, torsion, Scalar::ZERO),
        ("mixed_key_identity_r", prime_key + torsion, identity, Scalar::ZERO),
    ];
    let mut out = String::new();
    for point in EIGHT_TORSION {
        let _ = writeln!(out, "key\t{}", hex(&point.compress().to_bytes()));
    }
    // Other spellings of the same: y not below the prime 2^255 - 19, or x = 0 with the sign bit.
    for (low, high) in [(0xed, 0x7f), (0xee, 0x7f), (0xed, 0xff), (0xee, 0xff)] {
        let mut y = [0xff; 32];
        [y[0], y[31]] = [low, high];
        let _ = writeln!(out, "key\t{}", hex(&y));
    }
    for low in [1_u8, 0xec] {
        let mut y = [if low == 1 { 0 } else { 0xff }; 32];
        [y[0], y[31]] = [low, if low == 1 { 0x80 } else { 0xff }];
        let _ = writeln!(out, "key\t{}", hex(&y));
    }
    for (name, key, r, r_secret) in cases {
        // The hash decides whether k times the small-order part of the key vanishes: where there is
        // one, both kinds are looked for.
        let mut seen = [false; 2];
        for counter in 0_u8..=255 {
            let message = [b'm', counter];
            let (a, r) = (key.compress().to_bytes(), r.compress().to_bytes());
            let hash = Sha512::new().chain_update(r).chain_update(a).chain_update(message).finalize();
            let k = Scalar::from_bytes_mod_order_wide(&hash.into());
            let s = r_secret + k * secret;
            let holds = (EdwardsPoint::mul_base(&s) - k * key).compress().to_bytes() == r;
            if let Some(seen) = seen.get_mut(usize::from(holds))
                && !*seen
            {
                *seen = true;
                let holds = if holds { "holds" } else { "holds_with_cofactor_only" };
                let _ =
                    writeln!(out, "{name}\t{holds}\t{}\t{}\t{}{}", hex(&a), hex(&message), hex(&r), hex(s.as_bytes()));
            }
        }
    }
    out
}
