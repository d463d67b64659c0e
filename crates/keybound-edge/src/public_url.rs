//! The target URI as clients see it, where a proxy stands in front or the host comes from the client.

use alloc::{borrow::ToOwned, string::String};

use crate::config::is_secure;

/// An https origin, with a path prefix at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    prefix: String,
}

impl PublicUrl {
    /// Reads `https://api.example` or `https://api.example/v1`. `None` if it is anything else.
    #[must_use]
    pub fn new(url: &str) -> Option<Self> {
        let (origin, prefix) = split(url)?;
        let plain = is_secure(url) && !url.contains(['?', '#', '@']);
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        plain.then(|| Self { origin: origin.to_owned(), prefix: prefix.to_owned() })
    }

    /// The target URI of a request whose own URL is `url`. The proxy may have taken the prefix off the
    /// path, or not.
    ///
    /// ```
    /// use keybound_edge::PublicUrl;
    ///
    /// let public = PublicUrl::new("https://api.example/v1").unwrap();
    /// assert_eq!(public.target_of("http://10.0.0.7:8080/orders?page=2"), "https://api.example/v1/orders?page=2");
    /// assert_eq!(public.target_of("http://10.0.0.7:8080/v1/orders"), "https://api.example/v1/orders");
    /// ```
    #[must_use]
    pub fn target_of(&self, url: &str) -> String {
        let target = split(url).map_or("", |(_, target)| target);
        let path = target.split(['?', '#']).next().unwrap_or("");
        let prefixed =
            path.strip_prefix(self.prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let prefix = if prefixed { "" } else { &self.prefix };
        let slash = if path.is_empty() { "/" } else { "" };
        [&self.origin, prefix, slash, target].concat()
    }
}

/// Origin, and what follows it.
fn split(url: &str) -> Option<(&str, &str)> {
    let host = url.find("://")?.checked_add(3)?;
    let rest = url.get(host..)?;
    let at = host.checked_add(rest.find(['/', '?', '#']).unwrap_or(rest.len()))?;
    url.split_at_checked(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_one_of_whole_segments() {
        let public = PublicUrl::new("https://api.example/v1/").unwrap();
        assert_eq!(public.target_of("http://x/v10/a"), "https://api.example/v1/v10/a");
        assert_eq!(public.target_of("http://x/v1"), "https://api.example/v1");
        assert_eq!(public.target_of("http://x"), "https://api.example/v1/");
        let bare = PublicUrl::new("https://api.example").unwrap();
        assert_eq!(bare.target_of("http://x?a=/b"), "https://api.example/?a=/b");
        assert_eq!(bare.target_of("http://x/a//b?c"), "https://api.example/a//b?c");
    }

    #[test]
    fn what_is_no_https_origin_is_refused() {
        for url in ["http://api.example", "api.example", "https://a@api.example", "https://api.example/?x", ""] {
            assert_eq!(PublicUrl::new(url), None, "{url}");
        }
        assert!(PublicUrl::new("http://localhost:8787").is_some());
    }
}
