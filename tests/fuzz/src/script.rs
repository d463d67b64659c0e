//! A request, or a few in a row, as lines of text: what a line does not change is as in a good request.
//!
//! | line | is |
//! |---|---|
//! | `m=` `u=` | method, URL |
//! | `a=` `d=` | a value of `Authorization`, of `DPoP`; may repeat |
//! | `H=` `C=` | header and claims of the proof, JSON |
//! | `t=` `T=` | header and claims of the access token, JSON |
//! | `k=` | the number of the key that signs the proof |
//! | `E=` `S=` | what becomes of the signature of proof and token (see [`crate::world::Damage`]) |
//! | `x=` | changes of the signed proof: `12A` writes an A at 12, `12-` removes, `12+A` inserts |
//! | `n=` | what the server knows of the nonce: `c`urrent, `p`revious, `s`tale, else unknown |
//! | `c=` | the connection's certificate: `x` or `y`, `!` one that must not count, else none |
//! | `l=` | what the client is: `c`onfidential, else public |
//! | `w=` | the server's clock, in seconds |
//! | `q=` | the replay store's answer: `f`ull, `u`navailable, `e`xternal, `r`eplayed, else the memory's |
//! | `p=` | flags of the policy, of the first request for all (see [`Script::policy`]) |
//! | `g=` | flags of the grant: the request goes to the token endpoint |
//! | `o=` | the order in which waiting requests are answered |
//! | `---` | the next request begins, as the one before |
//!
//! In every value `$` and a letter stand for what a client would put there; see [`crate::world`].

/// The most requests of one script.
const MAX_REQUESTS: usize = 4;

/// One request, its values still with their `$`.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    pub method: &'a str,
    pub url: &'a str,
    pub authorization: Vec<&'a str>,
    pub dpop: Vec<&'a str>,
    pub proof_header: &'a str,
    pub proof_claims: &'a str,
    pub token_header: &'a str,
    pub token_claims: &'a str,
    pub key: u8,
    pub proof_damage: &'a str,
    pub token_damage: &'a str,
    pub edits: &'a str,
    pub nonce: &'a str,
    pub certificate: &'a str,
    pub client: &'a str,
    pub now: &'a str,
    pub replay: &'a str,
    pub grant: Option<&'a str>,
}

impl Step<'_> {
    /// A good request.
    const GOOD: Step<'static> = Step {
        method: "GET",
        url: "https://rs.example/items",
        authorization: Vec::new(),
        dpop: Vec::new(),
        proof_header: r#"{"typ":"dpop+jwt","alg":"ES256","jwk":$J}"#,
        proof_claims: r#"{"jti":"e1j3V_bKic8-LAEB","htm":"$M","htu":"$U","iat":$N,"ath":"$A"}"#,
        token_header: r#"{"typ":"at+jwt","alg":"ES256","kid":"as-1"}"#,
        token_claims: concat!(
            r#"{"iss":"https://as.example","aud":"https://rs.example","sub":"ada","client_id":"app","#,
            r#""jti":"t1","iat":1779999000,"exp":1780003600,"cnf":{"jkt":"$K"}}"#
        ),
        key: b'1',
        proof_damage: "",
        token_damage: "",
        edits: "",
        nonce: "c",
        certificate: "",
        client: "",
        now: "1780000000",
        replay: "",
        grant: None,
    };
}

/// A script that was read.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    /// Flags: `d`, `m` (else either mechanism), `r`, `P` (a constraint is required, of public clients
    /// only), `i`, `q` (a nonce is optional, required), `n` (stateless nonces), `s` (the token's source is
    /// asked), `b` (it says until when), `z`, `0` (small caches, no tokens in them), `f`, `y` (a clock may
    /// be 10 s ahead, a proof 30 s old), `w` (ES256 only), `e` (the certificate is known early), `x` (the
    /// replay store is asked outside), `A`, `K`, `O` (tokens of Auth0, Keycloak, Okta).
    pub policy: &'a str,
    /// The order in which waiting requests are answered.
    pub order: &'a str,
    /// The requests.
    pub steps: Vec<Step<'a>>,
}

impl<'a> Script<'a> {
    /// Reads a script. Lines that are none are left out.
    #[must_use]
    pub fn read(text: &'a str) -> Self {
        let mut script = Script { policy: "", order: "", steps: Vec::new() };
        let mut step = Step::GOOD;
        let mut fresh = [true, true];
        for line in text.split('\n') {
            if line == "---" {
                if script.steps.len() + 1 >= MAX_REQUESTS {
                    break;
                }
                script.steps.push(step.clone());
                fresh = [true, true];
                continue;
            }
            let Some((name, value)) = line.split_once('=') else { continue };
            match name {
                "m" => step.method = value,
                "u" => step.url = value,
                "a" => repeat(&mut step.authorization, &mut fresh[0], value),
                "d" => repeat(&mut step.dpop, &mut fresh[1], value),
                "H" => step.proof_header = value,
                "C" => step.proof_claims = value,
                "t" => step.token_header = value,
                "T" => step.token_claims = value,
                "k" => step.key = value.bytes().next().unwrap_or(b'1'),
                "E" => step.proof_damage = value,
                "S" => step.token_damage = value,
                "x" => step.edits = value,
                "n" => step.nonce = value,
                "c" => step.certificate = value,
                "l" => step.client = value,
                "w" => step.now = value,
                "q" => step.replay = value,
                "g" => step.grant = Some(value),
                "p" if script.steps.is_empty() => script.policy = value,
                "o" => script.order = value,
                _ => {}
            }
        }
        script.steps.push(step);
        for step in &mut script.steps {
            if step.authorization.is_empty() {
                step.authorization.push("DPoP $T");
            }
            if step.dpop.is_empty() {
                step.dpop.push("$P");
            }
        }
        script
    }
}

/// The first line of a request replaces the values of the one before; `-` alone says that there is none.
fn repeat<'a>(values: &mut Vec<&'a str>, fresh: &mut bool, value: &'a str) {
    if core::mem::take(fresh) {
        values.clear();
    }
    values.push(value);
}
