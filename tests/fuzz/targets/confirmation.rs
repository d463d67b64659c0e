//! The `cnf` claim: a token that has one is bound to what it says, or refused.
#![no_main]

use keybound_core::{json::Object, server::confirmation::Confirmation, thumbprint::Thumbprint};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    if let Some(thumbprint) = Thumbprint::parse(text) {
        assert_eq!(thumbprint.to_base64url(), text);
        assert_eq!(Thumbprint::from_bytes(*thumbprint.as_bytes()), thumbprint);
    }
    // As a claim, and as the whole of the claims.
    for claims in [format!("{{\"cnf\":{text}}}"), text.to_owned()] {
        let Ok(object) = Object::parse(claims.as_bytes()) else { continue };
        let Ok(confirmation) = Confirmation::from_claims(&object) else { continue };
        let other: Value = serde_json::from_str(&claims).expect("strict JSON is JSON");
        let member = |name: &str| other.get("cnf").and_then(|cnf| cnf.get(name)).and_then(Value::as_str);
        assert_eq!(confirmation.jkt().map(|jkt| jkt.to_base64url()).as_deref(), member("jkt"));
        assert_eq!(confirmation.x5t_s256().map(|x5t| x5t.to_base64url()).as_deref(), member("x5t#S256"));
        assert_eq!(confirmation == Confirmation::None, other.get("cnf").is_none());
    }
});
