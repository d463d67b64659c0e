//! Every cell of the policy, against the rules written a second time as sentences, and as the documents show it.

use alloc::{format, string::String, vec::Vec};

use super::*;
use crate::json::Object;

const JKT: &str = r#""jkt":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE""#;
const X5T: &str = r#""x5t#S256":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI""#;

/// What tokens carry: in words, the claims, and which known members are in them (`None`: no `cnf` at all; an
/// empty list: a `cnf` that says nothing that can be enforced).
fn carried() -> [(&'static str, String, Option<&'static [&'static str]>); 11] {
    [
        ("no `cnf`", "{}".into(), None),
        ("`jkt`", format!("{{\"cnf\":{{{JKT}}}}}"), Some(&["jkt"])),
        ("`x5t#S256`", format!("{{\"cnf\":{{{X5T}}}}}"), Some(&["x5t#S256"])),
        ("both", format!("{{\"cnf\":{{{JKT},{X5T}}}}}"), Some(&["jkt", "x5t#S256"])),
        ("`jkt` and an unknown member", format!("{{\"cnf\":{{\"kc-jkt-type\":1,{JKT}}}}}"), Some(&["jkt"])),
        ("`x5t#S256` and an unknown member", format!("{{\"cnf\":{{{X5T},\"kid\":\"x\"}}}}"), Some(&["x5t#S256"])),
        ("unknown members only", "{\"cnf\":{\"kid\":\"x\"}}".into(), Some(&[])),
        ("an empty `cnf`", "{\"cnf\":{}}".into(), Some(&[])),
        ("a `cnf` that is no object", "{\"cnf\":null}".into(), Some(&[])),
        ("a malformed `jkt`", "{\"cnf\":{\"jkt\":\"short\"}}".into(), Some(&[])),
        ("`jkt` and a malformed `x5t#S256`", format!("{{\"cnf\":{{{JKT},\"x5t#S256\":5}}}}"), Some(&[])),
    ]
}

const MECHANISMS: [(Mechanism, &str); 3] =
    [(Mechanism::Dpop, "dpop"), (Mechanism::Mtls, "mtls"), (Mechanism::Either, "either")];
const SCHEMES: [(Scheme, &str); 2] = [(Scheme::Dpop, "DPoP"), (Scheme::Bearer, "Bearer")];
/// `None` is a client of unknown type.
const CLIENTS: [Option<ClientType>; 3] = [Some(ClientType::Public), Some(ClientType::Confidential), None];

fn policies() -> Vec<ConstraintPolicy> {
    let mut all = Vec::new();
    for (mechanism, _) in MECHANISMS {
        for required in [false, true] {
            for required_for in [RequiredFor::AllClients, RequiredFor::PublicClients] {
                all.push(ConstraintPolicy { mechanism, required, required_for });
            }
        }
    }
    all
}

/// The outcome as the code has it, from the claims on.
fn outcome(
    policy: &ConstraintPolicy,
    scheme: Scheme,
    claims: &str,
    client: Option<ClientType>,
) -> Result<Demand, Reason> {
    let confirmation = Confirmation::from_claims(&Object::parse(claims.as_bytes()).unwrap())?;
    policy.cell(scheme, &confirmation)?.for_client(client.unwrap_or_default())
}

/// The rules once more, as sentences instead of a table: what must be shown, of key and certificate.
fn by_sentences(
    policy: &ConstraintPolicy,
    scheme: Scheme,
    members: Option<&[&str]>,
    client: Option<ClientType>,
) -> Option<(bool, bool)> {
    // A confirmation that cannot be understood is never taken for none.
    if members == Some(&[]) {
        return None;
    }
    let has = |name: &str| members.is_some_and(|members| members.contains(&name));
    let (jkt, x5t) = (has("jkt"), has("x5t#S256"));
    // The DPoP scheme is for tokens bound to a DPoP key, and such tokens are for that scheme only.
    if jkt != (scheme == Scheme::Dpop) {
        return None;
    }
    // Whoever is asked for a constraint has to bring the one that is asked for.
    let exempt = policy.required_for == RequiredFor::PublicClients && client == Some(ClientType::Confidential);
    let brings = match policy.mechanism {
        Mechanism::Dpop => jkt,
        Mechanism::Mtls => x5t,
        Mechanism::Either => jkt || x5t,
    };
    if policy.required && !exempt && !brings {
        return None;
    }
    // And whatever a token carries is enforced.
    Some((jkt, x5t))
}

#[test]
fn every_cell_of_the_table_is_as_the_sentences_say() {
    let mut cells = 0;
    for policy in policies() {
        for (scheme, _) in SCHEMES {
            for (what, claims, members) in carried() {
                for client in CLIENTS {
                    let demand = outcome(&policy, scheme, &claims, client);
                    assert_eq!(
                        demand.ok().map(|demand| (demand.key, demand.certificate)),
                        by_sentences(&policy, scheme, members, client),
                        "{policy:?} {scheme:?} {what} {client:?}"
                    );
                    cells += 1;
                }
            }
        }
    }
    assert_eq!(cells, 12 * 2 * 11 * 3);
}

#[test]
fn the_clients_type_is_asked_for_only_where_it_decides() {
    for policy in policies() {
        for (scheme, _) in SCHEMES {
            for (what, claims, _) in carried() {
                let asks = Confirmation::from_claims(&Object::parse(claims.as_bytes()).unwrap())
                    .and_then(|confirmation| policy.cell(scheme, &confirmation))
                    .is_ok_and(|cell| matches!(cell, Cell::ByClient(..)));
                let of = |client| outcome(&policy, scheme, &claims, Some(client));
                let decides = of(ClientType::Public) != of(ClientType::Confidential);
                assert_eq!(asks, decides, "{policy:?} {scheme:?} {what}");
            }
        }
    }
}

#[test]
fn a_challenge_names_a_scheme_if_some_token_asked_for_is_taken_under_it() {
    for policy in policies() {
        for (scheme, _) in SCHEMES {
            let taken = carried().iter().any(|(_, claims, members)| {
                // Certificates are presented as Bearer where they are what is asked for.
                let asked_for = scheme == Scheme::Bearer || policy.mechanism != Mechanism::Mtls;
                // With DPoP asked for, a token that only carries a certificate is a second choice.
                let second = policy.mechanism == Mechanism::Dpop && *members == Some(&["x5t#S256"][..]);
                asked_for && !second && CLIENTS.iter().any(|client| outcome(&policy, scheme, claims, *client).is_ok())
            });
            assert_eq!(policy.takes(scheme), taken, "{policy:?} {scheme:?}");
        }
    }
}

/// The tables of docs/policy.md: everything between its marks.
fn rendered() -> String {
    let requirements = [
        (
            "Required of all clients; or of public clients, and the client is public or unknown",
            true,
            Some(ClientType::Public),
        ),
        ("Required of public clients, and the client is confidential", true, Some(ClientType::Confidential)),
        ("Not required", false, None),
    ];
    let mut text = String::new();
    for (title, required, client) in requirements {
        text.push_str(&format!("\n### {title}\n\n| token carries |"));
        for (_, mechanism) in MECHANISMS {
            for (_, scheme) in SCHEMES {
                text.push_str(&format!(" `{mechanism}`, as {scheme} |"));
            }
        }
        text.push_str("\n|---|---|---|---|---|---|---|\n");
        for (what, claims, _) in carried() {
            text.push_str(&format!("| {what} |"));
            for (mechanism, _) in MECHANISMS {
                for (scheme, _) in SCHEMES {
                    let policy = ConstraintPolicy { mechanism, required, required_for: RequiredFor::PublicClients };
                    let cell = match outcome(&policy, scheme, &claims, client) {
                        Ok(Demand { key: true, certificate: true }) => String::from("**key and certificate**"),
                        Ok(Demand { key: true, .. }) => String::from("**key**"),
                        Ok(Demand { certificate: true, .. }) => String::from("**certificate**"),
                        Ok(_) => String::from("**nothing**"),
                        Err(reason) => format!("`{}`", reason.code()),
                    };
                    text.push_str(&format!(" {cell} |"));
                }
            }
            text.push('\n');
        }
    }
    text.push_str("\n### Schemes that challenges name\n\n| `mechanism` |");
    text.push_str(" required of all clients | required of public clients | not required |\n|---|---|---|---|\n");
    for (mechanism, name) in MECHANISMS {
        text.push_str(&format!("| `{name}` |"));
        for (required, required_for) in
            [(true, RequiredFor::AllClients), (true, RequiredFor::PublicClients), (false, RequiredFor::AllClients)]
        {
            let policy = ConstraintPolicy { mechanism, required, required_for };
            let named: Vec<_> =
                SCHEMES.iter().filter(|(scheme, _)| policy.takes(*scheme)).map(|(_, name)| *name).collect();
            text.push_str(&format!(" {} |", named.join(", ")));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_documents_show_the_same_table() {
    extern crate std;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/policy.md");
    // The crate by itself comes without the documents.
    let Ok(document) = std::fs::read_to_string(file) else { return };
    let (before, rest) = document.split_once("<!-- cells -->\n").expect("docs/policy.md has its mark");
    let (table, after) = rest.split_once("<!-- end -->").expect("docs/policy.md has its end mark");
    let now = rendered();
    if std::env::var_os("KEYBOUND_WRITE_DOCS").is_some() {
        let document = format!("{before}<!-- cells -->\n{now}<!-- end -->{after}");
        std::fs::write(file, document).expect("docs/policy.md can be written");
    } else {
        assert!(table == now, "docs/policy.md is out of date; KEYBOUND_WRITE_DOCS=1 writes it anew");
    }
}
