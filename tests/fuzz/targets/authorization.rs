//! The fields that carry credentials: at most one token and one proof come out, as they stand in the
//! field, and fields that a platform joined read as they did apart. The input is one field a line.
#![no_main]

use keybound_core::server::{answer, policy::Scheme, reason::Reason, request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let fields: Vec<&str> = text.split('\n').take(4).collect();
    let joined = fields.join(", ");

    let credentials = request::credentials(&fields);
    if let Ok(found) = credentials {
        let [field] = fields.as_slice() else { panic!("several fields are never one token") };
        let (scheme, token) = field.trim().split_once(' ').expect("a scheme, a blank and a token");
        assert_eq!(token.trim_start(), found.token);
        let named = if found.scheme == Scheme::Dpop { "dpop" } else { "bearer" };
        assert_eq!(scheme.to_ascii_lowercase(), named);
        assert!(!found.token.contains([',', ' ', '\t', '"']));
        let used = answer::scheme_used(&request::Request { method: "GET", url: "", authorization: &fields, dpop: &[] });
        assert_eq!(used, Some(found.scheme));
    }
    if fields.len() > 1 {
        assert_eq!(credentials, Err(Reason::AuthorizationMultiple));
        assert!(request::credentials(&[&joined]).is_err());
        assert_eq!(request::proof(&fields), Err(Reason::ProofMultiple));
        assert_eq!(request::proof(&[&joined]), Err(Reason::ProofMultiple));
    } else if let Ok(proof) = request::proof(&fields) {
        assert_eq!(proof, joined.trim_matches([' ', '\t']));
        assert!(!proof.is_empty() && !proof.contains(','));
    }
});
