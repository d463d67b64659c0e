//! Replay marks for a whole fleet of workers: Durable Objects, one a shard (RFC 9449 §11.1).

use alloc::string::{String, ToString};

use ::worker::{Method, ObjectNamespace, Request, RequestInit};
use keybound_core::server::replay::{ReplayAnswer, ReplayMark};

use crate::surroundings::AsyncReplayStore;

/// Marks in Durable Objects of the class [`super::ReplayShard`], sharded by the client's key: what one
/// isolate marked all others know. Made for each request, from its `Env`.
///
/// Objects of the npm package's class of that name serve as well, and the other way round: a fleet may
/// have workers of both kinds.
#[derive(Debug)]
pub struct DurableReplay {
    namespace: ObjectNamespace,
    shards: u32,
}

impl DurableReplay {
    /// Marks in the objects of this namespace, 32 of them.
    #[must_use]
    pub const fn new(namespace: ObjectNamespace) -> Self {
        Self { namespace, shards: 32 }
    }

    /// Another number of objects to share the load; 0 counts as 1. Changing it moves marks' places: for
    /// the length of the acceptance window a proof could then be used once more, so change it together
    /// with the nonce secrets.
    #[must_use]
    pub const fn with_shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    async fn ask(&self, mark: &ReplayMark, now: i64) -> ::worker::Result<String> {
        let jkt = mark.jkt().to_base64url();
        let shard = number_of(&jkt).checked_rem(self.shards).unwrap_or(0);
        // A stub belongs to one request: it is made anew each time.
        let stub = self.namespace.get_by_name(&["keybound-replay-", &shard.to_string()].concat())?;
        // Nothing in it needs an escape.
        let (key, expires_at) = (mark.key(), mark.expires_at());
        let body = alloc::format!(r#"{{"key":"{key}","jkt":"{jkt}","expiresAt":{expires_at},"now":{now}}}"#);
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(body.into()));
        let request = Request::new_with_init("https://replay.invalid/", &init)?;
        stub.fetch_with_request(request).await?.text().await
    }
}

impl AsyncReplayStore for DurableReplay {
    async fn claim(&self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        // Only the very "1" counts: an object that answers anything else did not insert.
        match self.ask(mark, now).await.as_deref() {
            Ok("1") => ReplayAnswer::Fresh,
            Ok("0") => ReplayAnswer::Replayed,
            _ => ReplayAnswer::Unavailable,
        }
    }
}

/// A thumbprint is random already; a few of its characters are enough. `pkg-templates/edge` does the same.
fn number_of(jkt: &str) -> u32 {
    jkt.bytes()
        .take(8)
        .fold(0, |number: u32, octet| number.wrapping_mul(64).wrapping_add(u32::from(octet)) & 0x00ff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_those_of_the_npm_package() {
        // By the package's own function, for the thumbprints of RFC 9449 §6.1 and RFC 7638 §3.1.
        assert_eq!(number_of("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"), 1_115_354);
        assert_eq!(number_of("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"), 13_736_504);
    }
}
