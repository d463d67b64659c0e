//! Seeds of the fuzz targets, taken from the conformance cases: what is worth a case is worth starting from.

use crate::paths;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The files of cases.
const FILES: [&str; 3] = ["sample.json", "own-rs.json", "own-as.json"];
/// Larger inputs make a fuzzer slow, and say nothing that small ones do not.
const LONGEST: usize = 4096;
/// Seeds of one target; beyond so many they only take time.
const MOST: usize = 600;

/// Inputs by target.
#[derive(Default)]
struct Seeds(BTreeMap<&'static str, BTreeSet<Vec<u8>>>);

impl Seeds {
    fn add(&mut self, target: &'static str, input: impl Into<Vec<u8>>) {
        let input = input.into();
        if input.len() <= LONGEST {
            self.0.entry(target).or_default().insert(input);
        }
    }
}

/// Writes the seeds, a folder a target, below `folder`.
pub fn write(folder: &Path) -> Result<()> {
    let mut seeds = Seeds::default();
    for file in FILES {
        let path = paths::root().join("tests/conformance").join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let cases: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
        seeds.add("jwks", cases["meta"]["jwks"].to_string());
        for case in cases["cases"].as_array().into_iter().flatten() {
            of_case(case, &mut seeds);
        }
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for (target, inputs) in &seeds.0 {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        // Of too many, some of every kind: they are in order.
        let every = inputs.len().div_ceil(MOST).max(1);
        for (number, input) in inputs.iter().step_by(every).enumerate() {
            fs::write(folder.join(format!("case-{number:04}")), input)?;
        }
    }
    Ok(())
}

fn of_case(case: &Value, seeds: &mut Seeds) {
    let steps = case["sequence"].as_array().map_or_else(|| vec![case], |steps| steps.iter().collect());
    let mut script: Vec<String> = Vec::new();
    for step in steps {
        if !script.is_empty() {
            script.push("---".to_owned());
        }
        // A step of a sequence says only what is its own.
        let field = |name: &str| if step[name].is_null() { &case[name] } else { &step[name] };
        let (request, claims) = (field("request"), field("token_claims"));
        let authorization = headers(request, "authorization");
        let proofs = headers(request, "dpop");
        seeds.add("authorization", authorization.join("\n"));
        let url = request["url"].as_str().unwrap_or_default();
        if claims.is_object() {
            seeds.add("json", claims.to_string());
            seeds.add("token", format!("\0{claims}"));
            if let Some(confirmation) = claims.get("cnf") {
                seeds.add("confirmation", confirmation.to_string());
            }
        }
        for proof in &proofs {
            of_proof(proof, url, seeds);
        }
        of_certificate(field("tls"), seeds);
        if let Some(token) = authorization.first().and_then(|field| field.split_once(' ')) {
            seeds.add("token", format!("\0{}", token.1));
        }
        let id = case["id"].as_str().unwrap_or_default();
        script.extend(request_lines(id, request, &authorization, &proofs, claims));
        script.extend(circumstance_lines(case, step, &proofs));
    }
    script.push("o=abcdABCDefghijklmn".to_owned());
    let script = script.join("\n");
    seeds.add("proof", script.as_str());
    seeds.add("decision", script);
}

/// The parts of a proof, each for the target that reads it.
fn of_proof(proof: &str, url: &str, seeds: &mut Seeds) {
    for part in proof.split('.') {
        seeds.add("base64url", part);
    }
    let Some((header, payload)) = json_parts(proof) else { return };
    for text in [&header, &payload] {
        seeds.add("json", text.as_str());
    }
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    if let Some(jwk) = read(&header).get("jwk") {
        seeds.add("jwk", jwk.to_string());
        seeds.add("jwks", format!("{{\"keys\":[{jwk}]}}"));
    }
    let payload = read(&payload);
    if let Some(htu) = payload["htu"].as_str() {
        seeds.add("target_uri", format!("{url}\n{htu}"));
    }
    for name in ["iat", "exp", "nbf"] {
        if payload[name].is_number() {
            seeds.add("time", payload[name].to_string());
        }
    }
}

/// See the target for the numbers of the ways.
fn of_certificate(tls: &Value, seeds: &mut Seeds) {
    let text = |name: &str| tls[name].as_str().unwrap_or_default();
    if !text("client_cert_pem").is_empty() {
        let pem = text("client_cert_pem");
        seeds.add("certificate", format!("\x01{pem}"));
        for way in ['\x02', '\x05', '\x06'] {
            seeds.add("platforms", format!("{way}{}", pem.replace('\n', "%0A").replace(' ', "%20")));
        }
    }
    if !text("client_cert_sha256_hex").is_empty() {
        let hex = text("client_cert_sha256_hex");
        seeds.add("certificate", format!("\x03{hex}"));
        seeds.add("platforms", format!("\0Hash={hex};Subject=\"CN=a,O=b\";URI=c"));
        seeds.add("platforms", format!("\x01Hash={hex};Subject=\"\nCN=\",Hash={hex};x=\""));
        seeds.add("platforms", format!("\x07{hex}"));
    }
    let auth = tls["cf"].get("tlsClientAuth").unwrap_or(&tls["cf"]);
    if auth.is_object() {
        let names = ["certPresented", "certVerified", "certRevoked", "certRFC9440", "certFingerprintSHA256"];
        let fields: Vec<&str> = names.iter().map(|name| auth[*name].as_str().unwrap_or_default()).collect();
        seeds.add("certificate", format!("\x04{}", fields.join("\n")));
        seeds.add("certificate", format!("\x02{}", fields.get(3).copied().unwrap_or_default()));
    }
}

/// The request as lines of a script (`tests/fuzz/src/script.rs`): with our keys in the place of the case's.
fn request_lines(
    id: &str,
    request: &Value,
    authorization: &[String],
    proofs: &[String],
    claims: &Value,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (line, name) in [("m", "method"), ("u", "url")] {
        lines.push(format!("{line}={}", request[name].as_str().unwrap_or_default()));
    }
    for field in authorization {
        let token = field.split_once(' ').map_or("", |(_, token)| token.trim());
        let plain = !token.is_empty() && !token.contains([',', ' ', '"']);
        lines.push(format!("a={}", if plain { field.replace(token, "$T") } else { field.clone() }));
        if let Some((header, payload)) = json_parts(token).filter(|_| !claims.is_object()) {
            lines.push(format!("t={header}"));
            lines.push(format!("T={}", own_keys(&payload, id)));
        }
    }
    if claims.is_object() {
        lines.push(format!("T={}", own_keys(&claims.to_string(), id)));
    }
    if authorization.is_empty() {
        lines.push("a=-".to_owned());
    }
    for proof in proofs {
        match json_parts(proof) {
            Some((header, payload)) if proofs.len() == 1 && !proof.contains(',') => {
                lines.push(format!("H={}", own_keys(&header, id)));
                lines.push(format!("C={}", own_keys(&payload, id)));
            }
            _ => lines.push(format!("d={proof}")),
        }
    }
    if proofs.is_empty() {
        lines.push("d=-".to_owned());
    }
    if id.contains("signature") || id.contains("-sig") {
        lines.push("E=b".to_owned());
    }
    // A line of a script has one line.
    lines.retain(|line| !line.contains('\n'));
    lines
}

/// Clock, policy, nonces, certificate and grant as lines of a script.
fn circumstance_lines(case: &Value, step: &Value, proofs: &[String]) -> Vec<String> {
    let field = |name: &str| if step[name].is_null() { &case[name] } else { &step[name] };
    let mut lines = Vec::new();
    if let Some(now) = field("now").as_f64() {
        lines.push(format!("w={now}"));
    }
    let mut flags = String::new();
    let policy = field("policy");
    if policy["require_dpop"] == true {
        flags.push_str("dr");
    }
    if policy["require_sender_constraint"] == true {
        flags.push('r');
    }
    if field("token_claims").is_object() {
        flags.push('s');
    }
    let nonces = field("nonce_policy");
    if nonces.is_object() {
        flags.push(if nonces["required"] == true { 'q' } else { 'i' });
        let claims = proofs.first().and_then(|proof| json_parts(proof)).map(|(_, claims)| claims).unwrap_or_default();
        let sent = serde_json::from_str::<Value>(&claims).unwrap_or_default()["nonce"].clone();
        let listed = |name: &str| nonces[name].as_array().is_some_and(|list| list.contains(&sent));
        let status = match (sent == nonces["current"], listed("accepted"), listed("expired")) {
            (true, ..) => 'c',
            (_, true, _) => 'p',
            (_, _, true) => 's',
            _ => 'u',
        };
        lines.push(format!("n={status}"));
    }
    lines.push(format!("p={flags}"));
    // Where a case that is about a key or certificate is refused, it is another's.
    let refused = step["expect"] != "accept";
    let other = |about: &str| refused && case["id"].as_str().is_some_and(|id| id.contains(about));
    if field("tls").is_object() {
        lines.push(format!("c={}", if other("mismatch") || other("other") { 'y' } else { 'x' }));
    }
    let grant = field("as_context");
    if grant.is_object() {
        let named = grant["code_dpop_jkt"].is_string() || grant["par_dpop_jkt"].is_string();
        let given = [
            ('p', grant["endpoint"] == "par"),
            (if other("jkt") { 'J' } else { 'j' }, named),
            (if other("refresh") { 'R' } else { 'r' }, grant["refresh_token_jkt"].is_string()),
            ('c', grant["client_type"] == "confidential"),
            ('d', grant["dpop_bound_access_tokens"] == true),
            ('b', grant["certificate_bound"] == true),
        ];
        let flags: String = given.into_iter().filter_map(|(flag, set)| set.then_some(flag)).collect();
        lines.push(format!("g={flags}"));
    }
    lines
}

/// Puts names for our own keys, hashes and certificates where the case has its own. A case that is
/// about one of them keeps it.
fn own_keys(json: &str, id: &str) -> String {
    let mut out = json.to_owned();
    if !id.contains("jwk") {
        out = replaced(&out, "\"jwk\":{\"kty\":\"EC\"", "}", "\"jwk\":$J");
    }
    for (name, own) in [("ath", "$A"), ("jkt", "$K"), ("x5t#S256", "$X")] {
        if !id.contains(&format!("-{name}-")) {
            out = replaced(&out, &format!("\"{name}\":\""), "\"", &format!("\"{name}\":\"{own}\""));
        }
    }
    out
}

/// What stands from `start` to the next `end`, replaced.
fn replaced(text: &str, start: &str, end: &str, by: &str) -> String {
    let whole = || {
        let (before, rest) = text.split_once(start)?;
        let (_, after) = rest.split_once(end)?;
        Some(format!("{before}{by}{after}"))
    };
    whole().unwrap_or_else(|| text.to_owned())
}

fn headers(request: &Value, name: &str) -> Vec<String> {
    let pairs = request["headers"].as_array().into_iter().flatten();
    pairs
        .filter(|pair| pair[0].as_str().is_some_and(|given| given.eq_ignore_ascii_case(name)))
        .map(|pair| pair[1].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Header and payload of a compact JWS, where they are text.
fn json_parts(compact: &str) -> Option<(String, String)> {
    let mut parts = compact.trim().split('.');
    let mut next = || String::from_utf8(base64url(parts.next()?)?).ok();
    Some((next()?, next()?))
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut held, mut out) = (0_u32, 0_u32, Vec::new());
    for octet in text.bytes() {
        let value = ALPHABET.iter().position(|known| *known == octet)?;
        bits = (bits << 6 | u32::try_from(value).ok()?) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_comes_apart_and_its_key_gives_way_to_ours() {
        let compact = "eyJqd2siOnsia3R5IjoiRUMifX0.eyJhdGgiOiJ4In0.AA";
        let (header, payload) = json_parts(compact).unwrap_or_default();
        assert_eq!((header.as_str(), payload.as_str()), (r#"{"jwk":{"kty":"EC"}}"#, r#"{"ath":"x"}"#));
        assert_eq!(own_keys(&header, "rs-valid"), r#"{"jwk":$J}"#);
        assert_eq!(own_keys(&payload, "rs-ath-wrong"), payload);
        assert_eq!(own_keys(&payload, "rs-valid"), r#"{"ath":"$A"}"#);
    }

    #[test]
    fn each_target_that_reads_what_cases_have_gets_seeds() -> Result<()> {
        let folder = paths::root().join("target/xtask-logs/test-seeds");
        write(&folder)?;
        for target in ["decision", "proof", "json", "jwk", "jwks", "token", "confirmation", "certificate", "time"] {
            assert!(fs::read_dir(folder.join(target))?.count() > 1, "{target}");
        }
        Ok(fs::remove_dir_all(folder)?)
    }
}
