//! Certificates in the fields of proxies: what is taken for one is the hash that the field holds, and
//! nothing that a client writes before or into its certificate's name moves Envoy's last element. The
//! first octet chooses the platform that the rest is read for.
#![no_main]

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use keybound_core::{
    server::certificate::{
        CertificateReading, from_aws_alb, from_aws_alb_passthrough, from_azure, from_cloudfront, from_google,
        from_haproxy, from_nginx, from_traefik, from_xfcc,
    },
    thumbprint::Thumbprint,
};
use libfuzzer_sys::fuzz_target;

/// The certificate that the nearest proxy saw.
const OWN: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fuzz_target!(|data: &[u8]| {
    let Some((way, data)) = data.split_first() else { return };
    let Ok(text) = core::str::from_utf8(data) else { return };
    match way % 11 {
        0 => taken_from_the_field(text, from_xfcc(text, usize::from(way / 11))),
        1 => appended(text),
        2 => taken_from_the_field(text, from_nginx(text)),
        3 => taken_from_the_field(text, from_haproxy(text)),
        4 => taken_from_the_field(text, from_traefik(text)),
        5 => taken_from_the_field(text, from_aws_alb(text)),
        6 => taken_from_the_field(text, from_aws_alb_passthrough(text)),
        7 => taken_from_the_field(text, from_cloudfront(text)),
        8 => taken_from_the_field(text, from_azure(text)),
        9 => taken_from_the_field(text, from_google(Some(text), Some("true"), Some("true"))),
        _ => {
            let lines: Vec<&str> = text.split('\n').collect();
            let reading = from_google(lines.first().copied(), lines.get(1).copied(), lines.get(2).copied());
            if matches!(reading, CertificateReading::Certificate(_)) {
                assert!(lines.iter().skip(1).take(2).all(|word| word.trim().eq_ignore_ascii_case("true")));
            }
        }
    }
});

/// A thumbprint is the hash of a certificate in the field, or stands there itself.
fn taken_from_the_field(text: &str, reading: CertificateReading) {
    let CertificateReading::Certificate(thumbprint) = reading else { return };
    let plain: String = text.chars().filter(|character| *character != ':').collect();
    let stands_there = plain.to_ascii_lowercase().contains(&hex(&thumbprint))
        || text.contains(&STANDARD_NO_PAD.encode(thumbprint.as_bytes()));
    // A certificate is longer than any hash, in base64 and all the more in an escaped PEM.
    assert!(stands_there || text.len() > 16, "{text}");
}

/// What a client writes, and the name in its certificate, on two lines: Envoy appends its own element.
fn appended(text: &str) {
    let (forged, name) = text.split_once('\n').unwrap_or((text, ""));
    let name = name.replace('"', "\\\"");
    let comma = if forged.is_empty() { "" } else { "," };
    let field = format!("{forged}{comma}By=spiffe://proxy;Hash={OWN};Subject=\"{name}\";URI=spiffe://client");
    match from_xfcc(&field, 0) {
        CertificateReading::Certificate(thumbprint) => assert_eq!(hex(&thumbprint), OWN, "{field}"),
        CertificateReading::Refused(_) => {}
        CertificateReading::Absent => panic!("the last element has a certificate: {field}"),
    }
}

fn hex(thumbprint: &Thumbprint) -> String {
    thumbprint.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect()
}
