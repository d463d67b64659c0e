use alloc::{string::ToString, vec, vec::Vec};

use serde_json::{Value, json};

use super::*;

const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const RANDOM: [u8; 16] = [0xfb; 16];

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/vectors/rfc9449.json")).unwrap()
}

fn template() -> ProofTemplate {
    let jwk = vectors()["public_jwk"].to_string();
    ProofTemplate::new(Algorithm::Es256, PublicKey::from_jwk(&jwk).unwrap()).unwrap()
}

fn request<'a>(method: &'a str, url: &'a str) -> ProofRequest<'a> {
    ProofRequest::new(method, url, 1_562_262_618, &RANDOM)
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&base64url::decode(part).unwrap()).unwrap()
}

fn claims(request: &ProofRequest<'_>) -> Result<Value, BuildError> {
    let input = template().signing_input(request)?;
    Ok(decoded(input.split_once('.').unwrap().1))
}

#[test]
fn the_header_has_type_algorithm_and_the_required_members_of_the_key() {
    let input = template().signing_input(&request("POST", "https://server.example.com/token")).unwrap();
    let header = decoded(input.split_once('.').unwrap().0);
    assert_eq!(header, vectors()["proofs"][0]["header"]);
}

#[test]
fn a_proof_for_a_resource_says_what_the_standards_example_says() {
    let vectors = vectors();
    let proof = vectors["proofs"].as_array().unwrap().iter().find(|p| p["payload"].get("ath").is_some()).unwrap();
    let expected = &proof["payload"];
    let made = claims(&ProofRequest {
        access_token: Some(&AccessTokenHash::of(TOKEN).unwrap()),
        nonce: expected["nonce"].as_str(),
        issued_at: expected["iat"].as_i64().unwrap(),
        ..request(expected["htm"].as_str().unwrap(), expected["htu"].as_str().unwrap())
    })
    .unwrap();
    let mut expected = expected.clone();
    expected["jti"] = json!(base64url::encode(&RANDOM));
    assert_eq!(made, expected);
}

#[test]
fn only_the_required_claims_are_there_unless_asked_for() {
    let made = claims(&request("POST", "https://u:p@AS.example:443/token?x=1#y")).unwrap();
    assert_eq!(
        made,
        json!({ "jti": base64url::encode(&RANDOM), "htm": "POST", "htu": "https://as.example/token", "iat": 1_562_262_618 })
    );
}

#[test]
fn the_method_is_a_token_and_kept_as_it_is() {
    assert_eq!(claims(&request("patch", "https://rs.example/")).unwrap()["htm"], "patch");
    for method in ["", "GE T", "GET\n", "G\"T", "gé"] {
        assert_eq!(claims(&request(method, "https://rs.example/")), Err(BuildError::Method), "{method:?}");
    }
}

#[test]
fn plain_http_leaves_this_machine_unproven() {
    let refused = Err(BuildError::Url(TargetUriError::NotHttps));
    assert_eq!(claims(&request("GET", "http://rs.example/")), refused);
    assert_eq!(claims(&request("GET", "http://localhost:8787/a")).unwrap()["htu"], "http://localhost:8787/a");
    assert!(matches!(claims(&request("GET", "/relative")), Err(BuildError::Url(_))));
    assert!(matches!(claims(&request("GET", "ftp://rs.example/")), Err(BuildError::Url(_))));
}

#[test]
fn quotes_in_a_path_cannot_leave_their_string() {
    let made = claims(&request("GET", "https://rs.example/a\",\"htm\":\"DELETE")).unwrap();
    assert_eq!(made["htm"], "GET");
    assert_eq!(made["htu"], "https://rs.example/a\",\"htm\":\"DELETE");
}

#[test]
fn tokens_and_nonces_outside_their_syntax_are_refused() {
    for token in ["", "a b", "a,b", "ä", "a=b", "=", "a\n"] {
        assert_eq!(AccessTokenHash::of(token), Err(BuildError::AccessToken), "{token:?}");
    }
    assert!(AccessTokenHash::of("abc==").is_ok());
    assert_eq!(AccessTokenHash::of(TOKEN).unwrap().to_base64url(), vectors()["ath"]);
    for nonce in ["", "a, b", "a\"b", "a\\b"] {
        let refused = claims(&ProofRequest { nonce: Some(nonce), ..request("GET", "https://rs.example/") });
        assert_eq!(refused, Err(BuildError::Nonce), "{nonce:?}");
    }
}

#[test]
fn further_claims_stand_beside_the_registered_ones_and_never_replace_them() {
    let with =
        |claims_: &[Claim<'_>]| claims(&ProofRequest { claims: claims_, ..request("GET", "https://rs.example/") });
    let made = with(&[
        Claim { name: "a \"quoted\" name", json: r#"{"x":[1,2,"],\""]}"# },
        Claim { name: "n", json: "-1.5e3" },
    ])
    .unwrap();
    assert_eq!(made["a \"quoted\" name"], json!({ "x": [1, 2, "],\""] }));
    assert_eq!(made["n"].as_f64(), Some(-1500.0));
    for name in REGISTERED {
        assert_eq!(with(&[Claim { name, json: "1" }]), Err(BuildError::ClaimName), "{name}");
    }
    assert_eq!(with(&[Claim { name: "a", json: "1" }, Claim { name: "a", json: "2" }]), Err(BuildError::ClaimName));
    for json in ["", " ", "1,\"htu\":\"x\"", "1}", "\"a", "\"a\\\"", "{\"a\":1", "[1]]", "]", "\"a\":1"] {
        assert_eq!(with(&[Claim { name: "a", json }]), Err(BuildError::ClaimValue), "{json}");
    }
}

#[test]
fn the_jti_is_the_random_octets_and_never_short() {
    let long: Vec<u8> = (0..24).collect();
    let made = claims(&ProofRequest::new("GET", "https://rs.example/", 0, &long)).unwrap();
    assert_eq!(made["jti"], base64url::encode(&long));
    let short = claims(&ProofRequest::new("GET", "https://rs.example/", 0, &[1; 15]));
    assert_eq!(short, Err(BuildError::ShortJti));
}

#[test]
fn integers_print_as_they_are() {
    for number in [0, 7, 10, -1, 1_562_262_618, i64::MAX, i64::MIN] {
        let mut text = String::new();
        json::write_integer(number, &mut text);
        assert_eq!(text, number.to_string());
    }
}

#[test]
fn a_finished_proof_is_the_input_and_a_signature_of_full_length() {
    let template = template();
    let input = template.signing_input(&request("GET", "https://rs.example/")).unwrap();
    let proof = template.finish(input.clone(), &[0xff; 64]).unwrap();
    assert_eq!(proof, alloc::format!("{input}.{}", base64url::encode(&[0xff; 64])));
    for length in [0, 63, 65, 70, 72] {
        assert_eq!(template.finish(input.clone(), &vec![1; length]), Err(BuildError::SignatureLength));
    }
}

#[test]
fn an_algorithm_needs_its_own_kind_of_key() {
    let key = template().key().clone();
    for algorithm in Algorithm::ALL {
        let made = ProofTemplate::new(algorithm, key.clone());
        assert_eq!(made.err(), (algorithm != Algorithm::Es256).then_some(BuildError::AlgorithmMismatch));
    }
}
