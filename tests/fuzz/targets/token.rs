//! JWT access tokens under each profile: what is taken names our issuer and audience, has its `exp`
//! ahead, and its claims come out as they went in. The first octet chooses the profile; the rest is
//! the token, or after `!` its payload under a good header.
#![no_main]

use keybound_core::{
    algorithm::AlgorithmSet,
    base64url,
    server::token::{ParsedToken, Profile, TokenPolicy, VerifiedToken},
    time::Timestamp,
};
use keybound_fuzz::world;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NOW: i64 = 1_780_000_000;
const ISSUERS: [&str; 2] = ["https://as.example", "https://as2.example/"];
const AUDIENCE: &str = "https://rs.example";

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let Ok(text) = core::str::from_utf8(data) else { return };
    let profiles = [Profile::Rfc9068, Profile::Auth0, Profile::Keycloak, Profile::Okta];
    let policy = TokenPolicy {
        issuers: ISSUERS.map(String::from).to_vec(),
        audiences: vec![AUDIENCE.to_owned()],
        algorithms: AlgorithmSet::ALL,
        profile: profiles[usize::from(*choice) % profiles.len()],
        types: if *choice > 127 { vec!["custom+jwt".to_owned()] } else { Vec::new() },
    };
    let token = match text.strip_prefix('!') {
        Some(payload) => {
            let encode = |text: &str| base64url::encode(text.as_bytes());
            let header = encode(r#"{"typ":"at+jwt","alg":"ES256","kid":"as-1"}"#);
            format!("{header}.{}.{}", encode(payload), base64url::encode(&[1; 64]))
        }
        None => text.to_owned(),
    };
    source(text, &policy);
    let now = Timestamp::from_seconds(NOW);
    let Ok(parsed) = ParsedToken::parse(&token, &policy, now) else { return };
    let payload = token.split('.').nth(1).and_then(|part| base64url::decode(part).ok()).expect("it was read");
    let claims: Value = serde_json::from_slice(&payload).expect("strict JSON is JSON");
    assert_eq!(claims["iss"].as_str(), ISSUERS.get(parsed.issuer()).copied());
    let audience = &claims["aud"];
    assert!(audience == AUDIENCE || audience.as_array().is_some_and(|list| list.iter().any(|one| one == AUDIENCE)));
    assert!(claims["exp"].to_string().parse::<f64>().is_ok_and(|exp| exp > NOW as f64));
    let keys = world::issuer_keys();
    if let Some(key) = parsed.key_in(&keys) {
        if let Ok(check) = parsed.signature_check(key) {
            assert_eq!(check.signature.len(), key.key().signature_len(parsed.algorithm()));
            assert!(token.as_bytes().starts_with(check.message));
        }
        let verified = parsed.verified(key, Ok(())).expect("we say so");
        assert!(verified.check_time(now).is_ok());
        confirmation(&claims, &verified);
    }
});

fn source(claims: &str, policy: &TokenPolicy) {
    let (issuers, audiences) = (&policy.issuers, &policy.audiences);
    assert!(VerifiedToken::from_source(false, claims, issuers, audiences).is_err());
    let Ok(token) = VerifiedToken::from_source(true, claims, issuers, audiences) else { return };
    let claims: Value = serde_json::from_str(claims).expect("strict JSON is JSON");
    assert!(claims.get("active").is_none_or(|active| *active == Value::Bool(true)));
    assert!(claims.get("iss").is_none_or(|issuer| ISSUERS.iter().any(|known| issuer == known)));
    confirmation(&claims, &token);
}

/// What has a `cnf` never counts as unbound (RFC 9449 §6).
fn confirmation(claims: &Value, token: &VerifiedToken) {
    let Ok(confirmation) = token.confirmation() else { return };
    let member = |name: &str| claims.get("cnf").and_then(|cnf| cnf.get(name)).and_then(Value::as_str);
    assert_eq!(confirmation.jkt().map(|jkt| jkt.to_base64url()).as_deref(), member("jkt"));
    assert_eq!(confirmation.x5t_s256().map(|x5t| x5t.to_base64url()).as_deref(), member("x5t#S256"));
    assert_eq!(claims.get("cnf").is_some(), confirmation.jkt().or(confirmation.x5t_s256()).is_some());
}
