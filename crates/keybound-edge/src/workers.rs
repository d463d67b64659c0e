//! Both roles for workers written with the `worker` crate: requests and responses, `fetch`, Cloudflare's
//! client certificates, and replay marks in Durable Objects.
//!
//! A worker has one thread and keeps its memory from one request to the next, so a server lives in a
//! `thread_local!`; making it does no I/O. What does I/O (a namespace's stub, say) belongs to the request
//! whose `Env` it came from.
//!
//! ```no_run
//! use keybound_edge::{engine::Config, workers::{DurableReplay, ResourceServer}};
//! use worker::{Context, Env, Request, Response, Result, event};
//!
//! thread_local! {
//!     static SERVER: ResourceServer = {
//!         let config = Config::for_jwts(["https://as.example"], ["https://api.example"]);
//!         ResourceServer::new(config).expect("the configuration is good")
//!     };
//! }
//! # fn main() {}
//!
//! #[event(fetch)]
//! async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
//!     let replay = DurableReplay::new(env.durable_object("REPLAY")?);
//!     // Cloning a handle: what is in a `thread_local!` cannot be lent across an await.
//!     let server = SERVER.with(ResourceServer::clone);
//!     match server.authenticate(&request, &replay).await {
//!         Ok(accepted) => accepted.finish(Response::ok(accepted.claims_json())?),
//!         Err(rejected) => rejected.response(),
//!     }
//! }
//! ```

mod certificate;
mod documents;
mod durable_replay;
mod fields;
mod replay_shard;
mod resource_server;
mod token_endpoint;

pub use self::{
    certificate::cloudflare_certificate,
    documents::WorkerFetch,
    durable_replay::DurableReplay,
    replay_shard::ReplayShard,
    resource_server::{Accepted, ResourceServer},
    token_endpoint::{Binding, TokenEndpoint},
};

use alloc::{string::String, vec::Vec};

use ::worker::{Date, Request, Response, Result};
use keybound_core::{
    server::{certificate::CertificateReading, reason::Reason},
    time::Timestamp,
};

use crate::{cors::Cors, public_url::PublicUrl, reply::Field};

/// A refusal, with everything that its answer needs.
#[derive(Clone, Debug)]
pub struct Rejected {
    rejected: crate::reply::Rejected,
    cors: Vec<Field>,
}

impl Rejected {
    /// The first check that failed. Its code is stable, and no text of the client's is in it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.rejected.reason()
    }

    /// The status code of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.rejected.reply().status
    }

    /// The answer: challenges, `DPoP-Nonce` where due, never cacheable.
    ///
    /// # Errors
    /// The runtime refused a field.
    pub fn response(self) -> Result<Response> {
        fields::respond(self.rejected.into_reply(), self.cors)
    }

    /// A request whose fields cannot be read is none that can be decided about.
    fn unreadable() -> Self {
        Self { rejected: crate::reply::Rejected::at_token_endpoint(Reason::Overloaded, None), cors: Vec::new() }
    }
}

/// What both roles know of how they are reached.
#[derive(Clone, Debug, Default)]
struct Front {
    public_url: Option<PublicUrl>,
    cors: Option<Cors>,
    /// Whether Cloudflare's report is asked for, and self-signed certificates count.
    certificates: Option<bool>,
}

/// A request as it came over the wire. `worker::Request` would show methods that it does not know as GET.
struct Head {
    method: String,
    url: String,
    authorization: Option<String>,
    dpop: Option<String>,
    origin: Option<String>,
}

impl Front {
    fn head(&self, request: &Request) -> Result<Head> {
        let (raw, headers) = (request.inner(), request.headers());
        let url = raw.url();
        Ok(Head {
            method: raw.method(),
            url: self.public_url.as_ref().map_or_else(|| url.clone(), |public| public.target_of(&url)),
            authorization: headers.get("authorization")?,
            dpop: headers.get("dpop")?,
            origin: headers.get("origin")?,
        })
    }

    fn cors_fields(&self, origin: Option<&str>) -> Vec<Field> {
        self.cors.as_ref().map_or_else(Vec::new, |cors| cors.fields(origin))
    }

    fn preflight(&self, request: &Request) -> Result<Option<Response>> {
        let Some(cors) = &self.cors else { return Ok(None) };
        let headers = request.headers();
        let origin = headers.get("origin")?;
        let asked = headers.get("access-control-request-method")?;
        let reply = cors.preflight(&request.inner().method(), origin.as_deref(), asked.as_deref());
        reply.map(|reply| fields::respond(reply, Vec::new())).transpose()
    }

    fn certificate(&self, request: &Request) -> CertificateReading {
        self.certificates.map_or(CertificateReading::Absent, |self_signed| cloudflare_certificate(request, self_signed))
    }
}

/// The worker's clock. At module scope it stands at zero.
fn now() -> Timestamp {
    // A clock that gives no number is no clock: nothing is fresh then.
    Timestamp::from_seconds_f64(seconds_now()).unwrap_or(Timestamp::from_seconds(i64::MAX))
}

#[allow(clippy::cast_precision_loss, reason = "exact for the next 285,000 years")]
fn seconds_now() -> f64 {
    Date::now().as_millis() as f64 / 1e3
}
