use alloc::{format, string::ToString};

use super::*;

const EC: &str = r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
const OKP: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn with(member: &str) -> Result<PublicKey, KeyError> {
    PublicKey::from_jwk(&EC.replacen('{', &format!("{{{member},"), 1))
}

fn rsa(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
    PublicKey::from_parts(KeyParts::Rsa { n, e }).map(|_| ())
}

#[test]
fn thumbprints_are_those_of_the_standards() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/jwk-thumbprints.json")).unwrap();
    let mut seen = 0;
    for vector in file["keys"].as_array().or_else(|| file["vectors"].as_array()).unwrap() {
        let key = PublicKey::from_jwk(&vector["jwk"].to_string()).unwrap();
        let expected = vector["thumbprint"].as_str().or_else(|| vector["jkt"].as_str()).unwrap();
        assert_eq!(key.thumbprint().to_base64url(), expected);
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn the_jwk_has_its_required_members_in_order() {
    let key = with(r#""kid":"1","use":"sig","ext":true"#).unwrap();
    assert_eq!(
        key.to_jwk(),
        r#"{"crv":"P-256","kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#
    );
    assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
    let key = PublicKey::from_jwk(OKP).unwrap();
    assert_eq!(key.thumbprint().to_base64url(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn private_and_symmetric_members_are_refused_whatever_they_hold() {
    for name in PRIVATE_MEMBERS {
        assert_eq!(with(&format!("\"{name}\":null")), Err(KeyError::PrivateMember), "{name}");
    }
}

#[test]
fn usage_must_not_contradict_checking_signatures() {
    assert!(with(r#""use":"sig","key_ops":["verify"]"#).is_ok());
    for member in [r#""use":"enc""#, r#""use":1"#, r#""key_ops":["sign"]"#, r#""key_ops":[]"#, r#""key_ops":"verify""#]
    {
        assert_eq!(with(member), Err(KeyError::Usage), "{member}");
    }
    let jwk = |text: &'static str| Object::parse(text.as_bytes()).unwrap();
    assert!(jwk_allows(&jwk(r#"{"alg":"EdDSA"}"#), Algorithm::Ed25519));
    assert!(jwk_allows(&jwk("{}"), Algorithm::Es256));
    assert!(!jwk_allows(&jwk(r#"{"alg":"RS256"}"#), Algorithm::Ps256));
    assert!(!jwk_allows(&jwk(r#"{"alg":5}"#), Algorithm::Ps256));
}

#[test]
fn coordinates_have_their_full_length_and_one_spelling() {
    let x = [7_u8; 33];
    for len in [0, 31, 33] {
        let parts = KeyParts::Ec { key_type: KeyType::P256, x: &x[..len], y: &x[..32] };
        assert_eq!(PublicKey::from_parts(parts), Err(KeyError::CoordinateLength), "{len}");
    }
    for text in [
        "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs=",
        "l8tFrhx+34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFt",
        "",
    ] {
        let jwk = EC.replace("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", text);
        assert_eq!(PublicKey::from_jwk(&jwk), Err(KeyError::MalformedMember), "{text}");
    }
    let prime = field_prime(KeyType::P256).unwrap();
    let parts = KeyParts::Ec { key_type: KeyType::P256, x: prime, y: &x[..32] };
    assert_eq!(PublicKey::from_parts(parts), Err(KeyError::InvalidPoint));
    assert_eq!(field_prime(KeyType::P384).unwrap().len(), 48);
    assert_eq!(field_prime(KeyType::P521).unwrap().len(), 66);
}

#[test]
fn the_type_must_be_known_and_with_case() {
    for jwk in [
        "{}",
        r#"{"kty":"oct"}"#,
        r#"{"kty":"ec","crv":"P-256"}"#,
        r#"{"kty":"EC"}"#,
        r#"{"kty":"EC","crv":"secp256k1"}"#,
        r#"{"kty":"EC","crv":"Ed25519"}"#,
        r#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        r#"{"kty":"OKP","crv":"Ed448"}"#,
        r#"{"kty":7}"#,
    ] {
        assert_eq!(PublicKey::from_jwk(jwk), Err(KeyError::UnsupportedType), "{jwk}");
    }
    assert_eq!(PublicKey::from_jwk("[]"), Err(KeyError::NotAnObject));
}

#[test]
fn rsa_keys_are_2048_to_8192_bits_in_minimal_octets_with_a_sane_exponent() {
    let e = [1, 0, 1];
    let mut n = [0xff_u8; 1025];
    assert_eq!(rsa(&n[..256], &e), Ok(()));
    assert_eq!(rsa(&n[..1024], &e), Ok(()));
    assert_eq!(rsa(&n[..1025], &e), Err(KeyError::RsaModulus));
    assert_eq!(rsa(&n[..255], &e), Err(KeyError::RsaModulus));
    assert_eq!(rsa(&[], &e), Err(KeyError::RsaModulus));
    for bad in [&[][..], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(rsa(&n[..256], bad), Err(KeyError::RsaExponent), "{bad:?}");
    }
    assert_eq!(rsa(&n[..256], &[3]), Ok(()));
    assert_eq!(rsa(&n[..256], &[0, 1, 0, 1]), Err(KeyError::RsaLeadingZero));
    n[0] = 0x7f;
    assert_eq!(rsa(&n[..256], &e), Err(KeyError::RsaModulus));
    n[0] = 0;
    assert_eq!(rsa(&n[..257], &e), Err(KeyError::RsaLeadingZero));
    n[0] = 0xff;
    n[255] = 0xfe;
    assert_eq!(rsa(&n[..256], &e), Err(KeyError::RsaModulus));
}

#[test]
fn ed25519_points_are_canonical_and_not_of_small_order() {
    let point = |x: [u8; 32]| PublicKey::from_parts(KeyParts::Ed25519 { x: &x }).map(|_| ());
    for mut y in SMALL_ORDER {
        assert_eq!(point(y), Err(KeyError::InvalidPoint));
        y[31] |= 0x80;
        assert_eq!(point(y), Err(KeyError::InvalidPoint));
    }
    // y = p .. 2^255 - 1, with and without the sign bit.
    for low in 0xed..=0xff_u8 {
        for high in [0x7f, 0xff] {
            let mut y = [0xff_u8; 32];
            (y[0], y[31]) = (low, high);
            assert_eq!(point(y), Err(KeyError::InvalidPoint));
        }
    }
    assert_eq!(PublicKey::from_jwk(&OKP.replace("RIa", "")).err(), PublicKey::from_jwk(OKP).err());
    assert_eq!(PublicKey::from_jwk(&OKP.replace("HURo", "")), Err(KeyError::CoordinateLength));
}
