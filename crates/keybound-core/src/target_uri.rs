//! The target URI of a request: how the client writes `htu`, and how the verifier compares it.
//!
//! RFC 9449 §4.2: without query and fragment. §4.3: compared after the syntax- and scheme-based
//! normalisation of RFC 3986 §6.2.2 and §6.2.3. Slashes are never merged or dropped, and the path
//! is compared with case.

use alloc::{string::String, vec::Vec};

use crate::{hex, json};

/// Why a text is no target URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetUriError {
    /// Not absolute, or the scheme is neither `https` nor `http`.
    Scheme,
    /// The authority has userinfo.
    UserInfo,
    /// The host is empty or malformed.
    Host,
    /// The port is no number of 16 bits.
    Port,
    /// The path has a malformed percent-encoding, a backslash, white space, a control or a non-ASCII character.
    Path,
    /// `http` where only `https` may be used (RFC 9449 §2): not a loopback host.
    NotHttps,
}

/// The part in which two target URIs differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriPart {
    /// `https` against `http`.
    Scheme,
    /// The host.
    Host,
    /// The port, the default one filled in.
    Port,
    /// The path.
    Path,
}

/// A target URI taken apart, its query and fragment left out.
#[derive(Clone, Copy, Debug)]
pub struct TargetUri<'a> {
    https: bool,
    host: &'a str,
    port: Option<u16>,
    path: &'a str,
}

/// A target URI in normal form: two are equal when they name the same target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanonicalTargetUri {
    https: bool,
    host: String,
    port: u16,
    path: String,
}

/// The target URI that a client signs for a request to this absolute URL: userinfo, query and
/// fragment left out (RFC 9449 §4.2), `https` only, or `http` to a loopback host (§2).
///
/// # Errors
/// See [`TargetUriError`].
pub fn for_request(url: &str) -> Result<TargetUri<'_>, TargetUriError> {
    let (https, rest) = split_scheme(url)?;
    let (authority, path) = split_authority(rest);
    let host = authority.bytes().rposition(|octet| octet == b'@').and_then(|at| authority.get(at.saturating_add(1)..));
    let host = host.unwrap_or(authority);
    let uri = TargetUri::from_split(https, host, path)?;
    if !uri.https && !uri.is_loopback() {
        return Err(TargetUriError::NotHttps);
    }
    Ok(uri)
}

/// Where a client's request goes: the server's origin, which is written anew or (`O`) lies ready, and what a proof says
/// of it (`htu`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTarget<'a, O = String> {
    origin: O,
    path: &'a str,
}

impl<'a> RequestTarget<'a> {
    /// Takes a URL apart, see [`for_request`].
    ///
    /// # Errors
    /// See [`TargetUriError`].
    pub fn of_url(url: &'a str) -> Result<Self, TargetUriError> {
        let uri = for_request(url)?;
        Ok(Self { origin: uri.origin(), path: uri.path })
    }
}

impl<'a> RequestTarget<'a, &'a str> {
    /// A URL that a platform's `URL` took apart (WHATWG): `protocol` and `host` with `//` between them, and `pathname`. It
    /// writes scheme and host in lower case and leaves out a default port, as [`RequestTarget::of_url`] does. (Its
    /// `origin` is no such thing: that of a `blob:` URL is the origin of whoever made it.)
    ///
    /// # Errors
    /// [`TargetUriError::NotHttps`] and [`TargetUriError::Path`]; that parser refuses nothing else that is wrong here.
    pub fn of_parts(origin: &'a str, path: &'a str) -> Result<Self, TargetUriError> {
        if !origin.starts_with("https://")
            && !origin.strip_prefix("http://").is_some_and(|host| is_loopback(without_port(host)))
        {
            return Err(TargetUriError::NotHttps);
        }
        check_path(path)?;
        Ok(Self { origin, path })
    }
}

impl<O: AsRef<str>> RequestTarget<'_, O> {
    /// `scheme://host[:port]`, in lower case and without a default port.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.origin.as_ref()
    }

    /// The `htu` of a proof: without query and fragment (RFC 9449 §4.2).
    #[must_use]
    pub fn htu(&self) -> String {
        let mut out = String::new();
        out.push_str(self.origin());
        if !self.path.starts_with('/') {
            out.push('/');
        }
        out.push_str(self.path);
        out
    }
}

impl<'a> TargetUri<'a> {
    /// Takes an absolute `http` or `https` URI apart. Query and fragment are ignored (RFC 9449 §4.3 check 9).
    ///
    /// # Errors
    /// See [`TargetUriError`]; userinfo is refused.
    pub fn parse(uri: &'a str) -> Result<Self, TargetUriError> {
        let (https, rest) = split_scheme(uri)?;
        let (authority, path) = split_authority(rest);
        if authority.bytes().any(|octet| octet == b'@') {
            return Err(TargetUriError::UserInfo);
        }
        Self::from_split(https, authority, path)
    }

    fn from_split(https: bool, authority: &'a str, path: &'a str) -> Result<Self, TargetUriError> {
        let (host, port) = split_port(authority)?;
        check_host(host)?;
        check_path(path)?;
        Ok(Self { https, host, port, path })
    }

    /// The `htu` that a client writes: scheme and host in lower case, the default port left out, an
    /// empty path as `/`, and otherwise the path as given.
    #[must_use]
    pub fn wire_form(&self) -> String {
        RequestTarget { origin: self.origin(), path: self.path }.htu()
    }

    /// The canonical scheme, host and port, the default port left out: `https://host[:port]`. Targets that
    /// are the same have one origin, and so one replay mark and one nonce.
    #[must_use]
    pub fn origin(&self) -> String {
        let mut out = String::from(if self.https { "https://" } else { "http://" });
        out.push_str(&canonical_host(self.host));
        if let Some(port) = self.port
            && port != default_port(self.https)
        {
            out.push(':');
            json::write_integer(i64::from(port), &mut out);
        }
        out
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the host can only be this machine: `localhost` and below, 127.0.0.0/8, `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host)
    }

    /// The path as given.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// The normal form (RFC 3986 §6.2.2-6.2.3).
    #[must_use]
    pub fn canonical(&self) -> CanonicalTargetUri {
        CanonicalTargetUri {
            https: self.https,
            host: canonical_host(self.host),
            port: self.port.unwrap_or(default_port(self.https)),
            path: canonical_path(self.path),
        }
    }

    /// Where this target differs from another one; `None` if they are the same.
    #[must_use]
    pub fn difference(&self, other: &TargetUri<'_>) -> Option<UriPart> {
        if self.https != other.https {
            return Some(UriPart::Scheme);
        }
        if !self.host.eq_ignore_ascii_case(other.host) && canonical_host(self.host) != canonical_host(other.host) {
            return Some(UriPart::Host);
        }
        let port = default_port(self.https);
        if self.port.unwrap_or(port) != other.port.unwrap_or(port) {
            return Some(UriPart::Port);
        }
        // Most clients write the path as it goes over the wire.
        if self.path != other.path && canonical_path(self.path) != canonical_path(other.path) {
            return Some(UriPart::Path);
        }
        None
    }
}

const fn default_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

fn split_scheme(uri: &str) -> Result<(bool, &str), TargetUriError> {
    let (scheme, rest) = split_at_first(uri, |octet| octet == b':');
    let rest = rest.strip_prefix(':').ok_or(TargetUriError::Scheme)?;
    let rest = rest.strip_prefix("//").ok_or(TargetUriError::Scheme)?;
    if scheme.eq_ignore_ascii_case("https") {
        Ok((true, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Ok((false, rest))
    } else {
        Err(TargetUriError::Scheme)
    }
}

/// Before and from the first octet that is wanted. Octet by octet, here and below: what the library does for any
/// pattern is more code than this module.
fn split_at_first(text: &str, wanted: fn(u8) -> bool) -> (&str, &str) {
    let at = text.bytes().position(wanted).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Authority and path; what follows the path is dropped.
fn split_authority(rest: &str) -> (&str, &str) {
    let (hierarchical, _) = split_at_first(rest, |octet| matches!(octet, b'?' | b'#'));
    split_at_first(hierarchical, |octet| octet == b'/')
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), TargetUriError> {
    // The colons of an IPv6 address stand within brackets.
    let from = authority.bytes().rposition(|octet| octet == b']').unwrap_or(0);
    let (_, end) = authority.split_at_checked(from).unwrap_or(("", authority));
    let (_, port) = split_at_first(end, |octet| octet == b':');
    let (host, _) = authority.split_at_checked(authority.len().saturating_sub(port.len())).unwrap_or((authority, ""));
    let mut number = None;
    for octet in port.bytes().skip(1) {
        let sum = match octet {
            b'0'..=b'9' => number.unwrap_or(0_u32).saturating_mul(10).saturating_add(u32::from(octet & 15)),
            _ => return Err(TargetUriError::Port),
        };
        number = Some(sum);
    }
    match number.map(u16::try_from) {
        None => Ok((host, None)),
        Some(Ok(port)) => Ok((host, Some(port))),
        Some(Err(_)) => Err(TargetUriError::Port),
    }
}

const fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

const fn is_sub_delimiter(octet: u8) -> bool {
    matches!(octet, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

/// RFC 3986 §3.2.2.
fn check_host(host: &str) -> Result<(), TargetUriError> {
    if let Some(address) = host.strip_prefix('[') {
        // Only its characters: a text that is no address is the host of no request.
        let address = address.strip_suffix(']').ok_or(TargetUriError::Host)?;
        let plain = address.bytes().all(|o| o.is_ascii_hexdigit() || matches!(o, b':' | b'.'));
        return if plain && address.bytes().any(|octet| octet == b':') { Ok(()) } else { Err(TargetUriError::Host) };
    }
    let plain = is_plain(host, |octet| is_unreserved(octet) || is_sub_delimiter(octet));
    if plain && !host.is_empty() { Ok(()) } else { Err(TargetUriError::Host) }
}

fn check_path(path: &str) -> Result<(), TargetUriError> {
    let plain = is_plain(path, |octet| octet.is_ascii_graphic() && octet != b'\\');
    if plain { Ok(()) } else { Err(TargetUriError::Path) }
}

/// Whether a text has allowed characters and whole percent-encodings only.
fn is_plain(text: &str, allowed: fn(u8) -> bool) -> bool {
    let mut digits = 0_u8;
    for octet in text.bytes() {
        match (digits.checked_sub(1), octet) {
            (Some(fewer), _) if octet.is_ascii_hexdigit() => digits = fewer,
            (None, b'%') => digits = 2,
            (None, _) if allowed(octet) => {}
            _ => return false,
        }
    }
    digits == 0
}

/// 127.0.0.0/8 in the usual form of four decimal numbers.
fn is_loopback(host: &str) -> bool {
    let ends = |suffix: &str| {
        host.len()
            .checked_sub(suffix.len())
            .and_then(|at| host.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    host.eq_ignore_ascii_case("localhost") || ends(".localhost") || host == "[::1]" || is_ipv4_loopback(host)
}

/// A host without the number that may follow it. The colons of an IPv6 address stand within brackets.
fn without_port(host: &str) -> &str {
    let at = host.bytes().rposition(|octet| matches!(octet, b':' | b']'));
    at.and_then(|at| host.split_at_checked(at)).filter(|(_, end)| end.starts_with(':')).map_or(host, |(host, _)| host)
}

fn is_ipv4_loopback(host: &str) -> bool {
    let (mut number, mut dots) = (None, 0_u8);
    for octet in host.bytes() {
        match (octet, number) {
            (b'0'..=b'9', _) => {
                let sum = number.unwrap_or(0_u32).saturating_mul(10).saturating_add(u32::from(octet & 15));
                if sum > 255 {
                    return false;
                }
                number = Some(sum);
            }
            (b'.', Some(_)) => {
                number = None;
                dots = dots.saturating_add(1);
            }
            _ => return false,
        }
    }
    host.starts_with("127.") && dots == 3 && number.is_some()
}

/// An address in brackets has one spelling where a URL parser wrote it (RFC 5952), which is where
/// clients and servers have it from. Other spellings of it count as other hosts.
fn canonical_host(host: &str) -> String {
    let mut out = if host.starts_with('[') { String::from(host) } else { normalise_percent(host) };
    out.make_ascii_lowercase();
    out
}

/// RFC 3986 §6.2.2.2, then §5.2.4, then an empty path as `/` (§6.2.3).
fn canonical_path(path: &str) -> String {
    let path = normalise_percent(path);
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len().saturating_add(1));
    for segment in kept {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// Decodes percent-encoded unreserved characters, writes the other encodings in upper case, and
/// encodes what RFC 3986 does not allow in a path but URL parsers leave (`|`, `[`, `^`).
fn normalise_percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        if octet == b'%' {
            let value = match (octets.next().and_then(hex::value), octets.next().and_then(hex::value)) {
                (Some(high), Some(low)) => (high << 4) | low,
                // Checked before: every percent sign has its two digits.
                _ => continue,
            };
            if is_unreserved(value) {
                out.push(char::from(value));
            } else {
                push_encoded(value, &mut out);
            }
        } else if is_unreserved(octet) || is_sub_delimiter(octet) || matches!(octet, b'/' | b':' | b'@') {
            out.push(char::from(octet));
        } else {
            push_encoded(octet, &mut out);
        }
    }
    out
}

fn push_encoded(octet: u8, out: &mut String) {
    out.push('%');
    hex::push(octet, b'A', out);
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use super::*;

    fn difference(a: &str, b: &str) -> Option<UriPart> {
        let (a, b) = (TargetUri::parse(a).unwrap(), TargetUri::parse(b).unwrap());
        assert_eq!(a.difference(&b), b.difference(&a));
        assert_eq!(a.difference(&b).is_none(), a.canonical() == b.canonical());
        // Else a proof would count once for each spelling of its target's host.
        assert_eq!(matches!(a.difference(&b), None | Some(UriPart::Path)), a.origin() == b.origin());
        a.difference(&b)
    }

    #[test]
    fn what_rfc_3986_calls_equivalent_is_one_target() {
        let target = "https://rs.example/api/v1/items";
        for same in [
            "HTTPS://RS.EXAMPLE/api/v1/items",
            "https://rs.example:443/api/v1/items",
            "https://rs.example:/api/v1/items",
            "https://r%73.%65xample/api/v1/items",
            "https://rs.example:0443/api/v1/items",
            "https://rs.example/api/v1/items?q=1#f",
            "https://rs.example/api/v1/items#",
            "https://rs.example/%61pi/v1/items",
            "https://rs.example/api/./v1/items",
            "https://rs.example/api/x/../v1/items",
            "https://rs.example/api/x/%2e%2E/v1/items",
            "https://rs.example/../api/v1/items",
            "https://r%73.example/api/v1/items",
            "https://rs.example/api/v1/items?/../\\ä",
        ] {
            assert_eq!(difference(target, same), None, "{same}");
        }
        assert_eq!(difference("https://rs.example", "https://rs.example/"), None);
        assert_eq!(difference("https://rs.example?q", "https://rs.example/"), None);
        assert_eq!(difference("https://rs.example/a%7eb%2fc", "https://rs.example/a~b%2Fc"), None);
        assert_eq!(difference("https://rs.example/a|b^[c]", "https://rs.example/a%7Cb%5E%5bc%5D"), None);
        assert_eq!(difference("https://[2001:DB8::1]/", "https://[2001:db8::1]:443/"), None);
        assert_eq!(difference("http://localhost:80/", "http://localhost/"), None);
        assert_eq!(difference("https://rs.example/a/..", "https://rs.example/"), None);
        assert_eq!(difference("https://rs.example/a/.", "https://rs.example/a/"), None);
    }

    #[test]
    fn other_targets_differ_in_a_named_part() {
        let target = "https://rs.example/api/v1/items";
        for (other, part) in [
            ("http://rs.example/api/v1/items", UriPart::Scheme),
            ("https://rs.example./api/v1/items", UriPart::Host),
            ("https://other.example/api/v1/items", UriPart::Host),
            ("https://rs.example:8443/api/v1/items", UriPart::Port),
            ("https://rs.example:80/api/v1/items", UriPart::Port),
            ("https://rs.example/api/v1/items/", UriPart::Path),
            ("https://rs.example//api/v1/items", UriPart::Path),
            ("https://rs.example/api//v1/items", UriPart::Path),
            ("https://rs.example/API/v1/items", UriPart::Path),
            ("https://rs.example/api%2Fv1/items", UriPart::Path),
            ("https://rs.example/api/v1/items%3Fq", UriPart::Path),
            ("https://rs.example/api/v1/items;v=1", UriPart::Path),
            ("https://rs.example", UriPart::Path),
        ] {
            assert_eq!(difference(target, other), Some(part), "{other}");
        }
    }

    #[test]
    fn what_is_no_target_uri_is_refused() {
        for (text, error) in [
            ("", TargetUriError::Scheme),
            ("/api", TargetUriError::Scheme),
            ("//rs.example/", TargetUriError::Scheme),
            ("rs.example/api", TargetUriError::Scheme),
            ("ftp://rs.example/", TargetUriError::Scheme),
            ("wss://rs.example/", TargetUriError::Scheme),
            (" https://rs.example/", TargetUriError::Scheme),
            ("https:rs.example", TargetUriError::Scheme),
            ("https:/rs.example", TargetUriError::Scheme),
            ("https://", TargetUriError::Host),
            ("https:///path", TargetUriError::Host),
            ("https://:443/", TargetUriError::Host),
            ("https://user@rs.example/", TargetUriError::UserInfo),
            ("https://user:pw@rs.example/", TargetUriError::UserInfo),
            ("https://@rs.example/", TargetUriError::UserInfo),
            ("https://rs.example:1:2/", TargetUriError::Port),
            ("https://rs.example:65536/", TargetUriError::Port),
            ("https://rs.example:+443/", TargetUriError::Port),
            ("https://rs.example:4a/", TargetUriError::Port),
            ("https://r s/", TargetUriError::Host),
            ("https://rs.example\\@evil/", TargetUriError::UserInfo),
            ("https://rs.example\\/", TargetUriError::Host),
            ("https://ärs.example/", TargetUriError::Host),
            ("https://[::1/", TargetUriError::Port),
            ("https://[::g]/", TargetUriError::Host),
            ("https://%zz/", TargetUriError::Host),
            ("https://rs.example/a b", TargetUriError::Path),
            ("https://rs.example/a\tb", TargetUriError::Path),
            ("https://rs.example/a\\b", TargetUriError::Path),
            ("https://rs.example/%", TargetUriError::Path),
            ("https://rs.example/%2", TargetUriError::Path),
            ("https://rs.example/%zz", TargetUriError::Path),
            ("https://rs.example/ä", TargetUriError::Path),
            ("https://rs.example/a\n", TargetUriError::Path),
            ("https://[::1]x/", TargetUriError::Host),
        ] {
            assert_eq!(TargetUri::parse(text).err(), Some(error), "{text:?}");
        }
    }

    #[test]
    fn the_client_writes_the_url_without_userinfo_query_and_fragment() {
        let wire = |url: &str| for_request(url).map(|uri| uri.wire_form());
        assert_eq!(wire("https://u:p@RS.example:443/a%7Eb?c#d").as_deref(), Ok("https://rs.example/a%7Eb"));
        assert_eq!(wire("https://rs.example").as_deref(), Ok("https://rs.example/"));
        assert_eq!(wire("https://rs.example:8443/").as_deref(), Ok("https://rs.example:8443/"));
        for host in ["localhost:8787", "app.localhost", "127.0.0.1:80", "127.9.9.9", "[::1]:3000", "LOCALHOST"] {
            assert!(wire(&format!("http://{host}/")).is_ok(), "{host}");
        }
        for host in ["rs.example", "127.0.0.1.example", "localhost.example", "notlocalhost", "128.0.0.1", "[::2]"] {
            assert_eq!(wire(&format!("http://{host}/")), Err(TargetUriError::NotHttps), "{host}");
        }
    }

    #[test]
    fn normal_form_is_stable_and_ports_print_as_they_are() {
        for port in [0_u16, 1, 80, 443, 8080, 10_000, 65_535] {
            let text = format!("https://h:{port}/x");
            let origin = TargetUri::parse(&text).unwrap().origin();
            let expected = if port == 443 { "https://h".to_string() } else { format!("https://h:{port}") };
            assert_eq!(origin, expected);
        }
        for path in ["/a/b/../c/./d//", "/%41%2f%7e|", "", "/..", "/a/%2e"] {
            let once = canonical_path(path);
            assert_eq!(canonical_path(&once), once, "{path}");
        }
    }
}
