//! The client certificate that Cloudflare reports of the TLS connection.

use alloc::string::String;

use ::worker::{Request, js_sys::Reflect, wasm_bindgen::JsValue};
use keybound_core::server::certificate::{CertificateReading, CloudflareFields, from_cloudflare};

/// What `request.cf.tlsClientAuth` says. Clients cannot write it.
///
/// `allow_self_signed` (RFC 8705 §2.2) lets that one verification failure pass, never an expired or
/// revoked certificate.
#[must_use]
pub fn cloudflare_certificate(request: &Request, allow_self_signed: bool) -> CertificateReading {
    // `worker::Cf` knows neither `certRevoked` nor `certRFC9440`, and panics where a field is none.
    let report = member(request.inner(), "cf").and_then(|cf| member(&cf, "tlsClientAuth"));
    let Some(report) = report.filter(|report| !report.is_null() && !report.is_undefined()) else {
        return CertificateReading::Absent;
    };
    let text = |name| member(&report, name).and_then(|value| value.as_string()).unwrap_or_default();
    let (presented, verified, revoked): (String, String, String) =
        (text("certPresented"), text("certVerified"), text("certRevoked"));
    let (rfc9440, fingerprint) = (text("certRFC9440"), text("certFingerprintSHA256"));
    let fields = CloudflareFields {
        presented: &presented,
        verified: &verified,
        revoked: &revoked,
        rfc9440: &rfc9440,
        fingerprint_sha256: &fingerprint,
    };
    from_cloudflare(&fields, allow_self_signed)
}

fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name)).ok()
}
