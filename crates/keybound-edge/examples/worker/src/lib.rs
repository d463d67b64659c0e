//! An API that takes bound tokens only, and a token endpoint that says what to bind a token to.

use core::cell::OnceCell;

use keybound_core::server::token_endpoint::Grant;
use keybound_edge::{
    Cors, PublicUrl,
    engine::Config,
    token_engine::TokenConfig,
    workers::{DurableReplay, ResourceServer, TokenEndpoint},
};
use worker::{Context, Env, Error, Request, Response, Result, console_log, event};

thread_local! {
    /// Kept from one request to the next, with verified tokens, keys and nothing that does I/O.
    static SERVERS: OnceCell<Servers> = const { OnceCell::new() };
}

/// Both roles. Cloning copies handles.
#[derive(Clone)]
struct Servers {
    api: ResourceServer,
    token: TokenEndpoint,
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let servers = servers(&env)?;
    match request.path().as_str() {
        "/orders" => orders(&servers.api, &request, &env).await,
        "/token" => token(&servers.token, &request, &env).await,
        _ => Response::error("not found", 404),
    }
}

async fn orders(api: &ResourceServer, request: &Request, env: &Env) -> Result<Response> {
    if let Some(answer) = api.preflight(request)? {
        return Ok(answer);
    }
    match api.authenticate(request, &DurableReplay::new(env.durable_object("REPLAY")?)).await {
        // The claims are the issuer's JSON: read from it what the route needs.
        Ok(accepted) => accepted.finish(Response::ok(accepted.claims_json())?),
        Err(rejected) => {
            console_log!("refused: {}", rejected.reason().code());
            rejected.response()
        }
    }
}

/// What a client's access token gets. A real endpoint finds the grant first and consumes it afterwards.
async fn token(endpoint: &TokenEndpoint, request: &Request, env: &Env) -> Result<Response> {
    if let Some(answer) = endpoint.preflight(request)? {
        return Ok(answer);
    }
    let grant = Grant { require_dpop: true, ..Grant::default() };
    match endpoint.bind(request, &grant, &DurableReplay::new(env.durable_object("REPLAY")?)).await {
        Ok(binding) => {
            let cnf = binding.cnf_json().unwrap_or_else(|| "null".to_owned());
            let body = format!(r#"{{"token_type":"{}","cnf":{cnf}}}"#, binding.token_type());
            binding.finish(Response::ok(body)?)
        }
        Err(rejected) => rejected.response(),
    }
}

/// Made with the first request, since secrets come with a request's `Env`. Does no I/O.
fn servers(env: &Env) -> Result<Servers> {
    SERVERS.with(|servers| {
        if let Some(servers) = servers.get() {
            return Ok(servers.clone());
        }
        let made = Servers { api: api(env)?, token: token_endpoint(env)? };
        Ok(servers.get_or_init(|| made).clone())
    })
}

fn api(env: &Env) -> Result<ResourceServer> {
    let config = Config::for_jwts([text(env, "ISSUER")?], [text(env, "AUDIENCE")?])
        .with_nonces(nonce_secrets(env)?, 60)
        .map_err(|_| Error::from("NONCE_SECRET needs at least 32 characters"))?;
    let api = ResourceServer::new(config).map_err(|error| Error::from(error.to_string()))?;
    let api = api.with_cors(cors()).with_cloudflare_certificates(true);
    Ok(match public_url(env) {
        Some(url) => api.with_public_url(url),
        None => api,
    })
}

fn token_endpoint(env: &Env) -> Result<TokenEndpoint> {
    let config = TokenConfig::default()
        .with_nonces(nonce_secrets(env)?, 60)
        .map_err(|_| Error::from("NONCE_SECRET needs at least 32 characters"))?;
    let endpoint = TokenEndpoint::new(config).map_err(|error| Error::from(error.to_string()))?.with_cors(cors());
    Ok(match public_url(env) {
        Some(url) => endpoint.with_public_url(url),
        None => endpoint,
    })
}

fn cors() -> Cors {
    Cors::for_origins(["https://app.example"])
}

/// To rotate, put a new one in front and leave the old one behind it for two minutes.
fn nonce_secrets(env: &Env) -> Result<Vec<Vec<u8>>> {
    Ok(vec![env.secret("NONCE_SECRET")?.to_string().into_bytes()])
}

/// Set it where clients reach the worker under another URL than its own, as behind a proxy.
fn public_url(env: &Env) -> Option<PublicUrl> {
    PublicUrl::new(&text(env, "PUBLIC_URL").ok()?)
}

fn text(env: &Env, name: &str) -> Result<String> {
    Ok(env.var(name)?.to_string())
}
