//! CORS for pages that call a server with proofs (RFC 9449 §7.1 and §8: `DPoP-Nonce` must be readable).

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

use crate::reply::{Field, Reply};

/// The pages that may read answers, and what they may send.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Their origins; `None` for any.
    pub origins: Option<Vec<String>>,
    /// The methods that a preflight allows.
    pub methods: Vec<String>,
    /// Request fields that it allows beside `Authorization`, `DPoP` and `Content-Type`.
    pub headers: Vec<String>,
    /// For how many seconds its answer may be kept.
    pub max_age: Option<u32>,
}

impl Cors {
    /// For pages of these origins.
    #[must_use]
    pub fn for_origins<I: IntoIterator<Item: Into<String>>>(origins: I) -> Self {
        Self { origins: Some(origins.into_iter().map(Into::into).collect()), ..Self::for_any_origin() }
    }

    /// For any page. A bound token is of no use to a page that has not its key.
    #[must_use]
    pub fn for_any_origin() -> Self {
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].map(ToOwned::to_owned).into();
        Self { origins: None, methods, headers: Vec::new(), max_age: None }
    }

    /// The fields of an answer to a request with this `Origin`, refusals and challenges included.
    #[must_use]
    pub fn fields(&self, origin: Option<&str>) -> Vec<Field> {
        let mut fields = self.allow(origin);
        if self.allows(origin) {
            // `Date`, which CORS hides too, tells a page by how much its clock is off.
            fields.push(("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce, Date".to_owned()));
        }
        fields
    }

    /// The answer to a preflight; `None` if the request is none: method, `Origin`, and
    /// `Access-Control-Request-Method` decide (Fetch standard, CORS protocol).
    #[must_use]
    pub fn preflight(&self, method: &str, origin: Option<&str>, asked: Option<&str>) -> Option<Reply> {
        if method != "OPTIONS" || origin.is_none() || asked.is_none() {
            return None;
        }
        let mut fields = self.allow(origin);
        if self.allows(origin) {
            fields.push(("Access-Control-Allow-Methods", self.methods.join(", ")));
            let mut allowed = "Authorization, DPoP, Content-Type".to_owned();
            for name in &self.headers {
                allowed.push_str(", ");
                allowed.push_str(name);
            }
            fields.push(("Access-Control-Allow-Headers", allowed));
            fields.extend(self.max_age.map(|seconds| ("Access-Control-Max-Age", seconds.to_string())));
        }
        fields.push(("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers".to_owned()));
        Some(Reply { status: 204, fields, body: String::new() })
    }

    fn allows(&self, origin: Option<&str>) -> bool {
        match (&self.origins, origin) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(origins), Some(origin)) => origins.iter().any(|known| known == origin),
        }
    }

    fn allow(&self, origin: Option<&str>) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        if self.origins.is_some() {
            fields.push(("Vary", "Origin".to_owned()));
        }
        if let Some(origin) = origin.filter(|_| self.allows(origin)) {
            let allowed = if self.origins.is_some() { origin } else { "*" };
            fields.push(("Access-Control-Allow-Origin", allowed.to_owned()));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
        fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    #[test]
    fn only_pages_of_the_named_origins_may_read_answers() {
        let cors = Cors::for_origins(["https://app.example"]);
        let ours = cors.fields(Some("https://app.example"));
        assert_eq!(value(&ours, "Access-Control-Allow-Origin"), Some("https://app.example"));
        assert_eq!(value(&ours, "Access-Control-Expose-Headers"), Some("WWW-Authenticate, DPoP-Nonce, Date"));
        for origin in [Some("https://evil.example"), Some("https://app.example.evil"), Some("null"), None] {
            let fields = cors.fields(origin);
            // A cache must not hand one origin's answer to another.
            assert_eq!(fields, [("Vary", "Origin".to_owned())], "{origin:?}");
        }
        assert_eq!(value(&Cors::for_any_origin().fields(Some("null")), "Access-Control-Allow-Origin"), Some("*"));
    }

    #[test]
    fn a_preflight_allows_what_a_proof_needs_and_other_requests_are_none() {
        let mut cors = Cors::for_origins(["https://app.example"]);
        cors.headers.push("X-Trace".to_owned());
        let reply = cors.preflight("OPTIONS", Some("https://app.example"), Some("POST")).unwrap();
        assert_eq!(reply.status, 204);
        assert_eq!(
            value(&reply.fields, "Access-Control-Allow-Headers"),
            Some("Authorization, DPoP, Content-Type, X-Trace")
        );
        let foreign = cors.preflight("OPTIONS", Some("https://evil.example"), Some("POST")).unwrap();
        assert_eq!(value(&foreign.fields, "Access-Control-Allow-Origin"), None);
        assert_eq!(value(&foreign.fields, "Access-Control-Allow-Headers"), None);
        assert_eq!(cors.preflight("OPTIONS", Some("https://app.example"), None), None);
        assert_eq!(cors.preflight("GET", Some("https://app.example"), Some("POST")), None);
        assert_eq!(cors.preflight("OPTIONS", None, Some("POST")), None);
    }
}
