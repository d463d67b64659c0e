// `htm` and `htu` against the request.

import { subject } from "./cases.mjs";

const htm = subject({ group: "htm", section: "4.3(8), RFC9110 9.1", requirement: "A21" });
for (const method of ["GET", "POST", "DELETE", "PATCH", "HEAD", "PROPFIND"]) {
  htm.accept(`htm-${method.toLowerCase()}`, `${method} for ${method}`, { request: { method } });
}
htm.accept("htm-patch-lower", "a method in lower case is another method, and may be one: fetch sends patch as it is", { request: { method: "patch" }, requirement: "A10 A21" });
htm.refuse("htm-patch-upper-for-lower", "PATCH for patch", { request: { method: "patch" }, proof: { payload: { htm: "PATCH" } }, requirement: "A21 I06", also: ["accept"], level: "SHOULD" });
htm.refuse("htm-post-for-get", "POST on a GET", { proof: { payload: { htm: "POST" } } });
htm.refuse("htm-get-for-post", "GET on a POST", { at: "both", request: { method: "POST" }, proof: { payload: { htm: "GET" } } });
htm.refuse("htm-head-for-get", "HEAD on a GET", { proof: { payload: { htm: "HEAD" } } });
htm.refuse("htm-get-for-head", "GET on a HEAD", { request: { method: "HEAD" }, proof: { payload: { htm: "GET" } } });
for (const [name, value] of [["lower", "get"], ["mixed", "Get"]]) {
  htm.refuse(`htm-${name}`, `${value} on a GET: methods are compared with case`, { proof: { payload: { htm: value } }, requirement: "A21 I06", also: ["accept"], level: "SHOULD" });
}
htm.refuse("htm-post-lower", "post at the token endpoint", { at: "as", proof: { payload: { htm: "post" } }, requirement: "A21 I06", also: ["accept"], level: "SHOULD" });
for (const [name, value] of [["missing", undefined], ["null", null], ["number", 1], ["empty", ""], ["array", ["GET"]], ["blank-after", "GET "], ["newline", "GET\n"], ["wildcard", "*"], ["list", "GET,POST"], ["nul", "GET\0"]]) {
  htm.refuse(`htm-${name}`, `htm ${name}`, { at: name === "missing" ? "both" : "rs", proof: { payload: { htm: value } }, requirement: typeof value === "string" && value !== "" ? "A21" : "A17 A21" });
}
htm.refuse("htm-override-header", "X-HTTP-Method-Override does not count", { proof: { payload: { htm: "POST" } }, headers: (headers) => [...headers, ["X-HTTP-Method-Override", "POST"]] });

// Targets that are the same

const same = subject({ group: "htu", section: "4.3 normalization, RFC3986 6.2.2, 6.2.3", requirement: "A23 I03" });
const lax = { also: ["invalid_dpop_proof"], level: "SHOULD" };
const claim = (htu) => ({ proof: { payload: { htu } } });
const PATH = "/api/items";
same.accept("htu-same", "the target as it is", { at: "both", requirement: "A22 A11" });
same.accept("htu-scheme-case", "scheme in upper case", { ...claim(`HTTPS://rs.example${PATH}`), ...lax });
same.accept("htu-host-case", "host in upper case", { ...claim(`https://RS.Example${PATH}`), ...lax });
same.accept("htu-default-port", "the default port", { ...claim(`https://rs.example:443${PATH}`), ...lax });
same.accept("htu-empty-port", "an empty port", { ...claim(`https://rs.example:${PATH}`), ...lax });
same.accept("htu-request-default-port", "the default port in the request's target", { request: { url: `https://rs.example:443${PATH}` }, ...claim(`https://rs.example${PATH}`), ...lax });
same.accept("htu-request-host-case", "the request's host in upper case", { request: { url: `https://RS.EXAMPLE${PATH}` }, ...claim(`https://rs.example${PATH}`), ...lax });
same.accept("htu-percent-unreserved", "an unreserved letter percent-encoded", { ...claim("https://rs.example/%61pi/items"), ...lax, requirement: "A23 I04" });
same.accept("htu-percent-tilde", "%7E for ~", { request: { url: "https://rs.example/~user" }, ...claim("https://rs.example/%7Euser"), ...lax, requirement: "A23 I04" });
same.accept("htu-percent-tilde-request", "~ for a %7E of the request", { request: { url: "https://rs.example/%7Euser" }, ...claim("https://rs.example/~user"), ...lax, requirement: "A23 I04" });
same.accept("htu-percent-case", "%2f for %2F", { request: { url: "https://rs.example/a%2Fb" }, ...claim("https://rs.example/a%2fb"), ...lax, requirement: "A23 I04" });
same.accept("htu-percent-kept", "an encoding that stays is the same on both sides", { request: { url: "https://rs.example/a%2Fb%20c%C3%A9" }, requirement: "A22 I04" });
same.accept("htu-dot-segment", "a dot segment", { ...claim("https://rs.example/api/./items"), ...lax });
same.accept("htu-dot-dot-segment", "a double-dot segment", { ...claim("https://rs.example/api/v0/../items"), ...lax });
same.accept("htu-dot-dot-at-root", "a double-dot segment that leads nowhere above the root", { ...claim(`https://rs.example/..${PATH}`), ...lax });
same.accept("htu-encoded-dot-dot", "a double-dot segment percent-encoded", { ...claim("https://rs.example/api/v0/%2E%2e/items"), ...lax });
same.accept("htu-empty-path", "an empty path for /", { request: { url: "https://rs.example/" }, ...claim("https://rs.example"), ...lax, requirement: "A23 I02" });
same.accept("htu-root-for-empty", "/ for an empty path", { request: { url: "https://rs.example" }, ...claim("https://rs.example/"), ...lax, requirement: "A23 I02" });
same.accept("htu-port", "a port of its own", { request: { url: `https://rs.example:8443${PATH}` }, requirement: "A22" });
same.accept("htu-ipv4", "an IPv4 address", { request: { url: "https://192.0.2.1/x" }, requirement: "A22" });
same.accept("htu-ipv6", "an IPv6 address", { request: { url: "https://[2001:db8::1]:8443/x" }, requirement: "A22" });
same.accept("htu-ipv6-case", "an IPv6 address in upper case", { request: { url: "https://[2001:db8::a]/x" }, ...claim("https://[2001:DB8::A]/x"), ...lax });
same.open("htu-ipv6-spelling", "another spelling of an IPv6 address", ["accept", "invalid_dpop_proof"], { request: { url: "https://[2001:db8::1]/x" }, ...claim("https://[2001:db8:0:0:0:0:0:1]/x") });
same.accept("htu-idn", "an IDN as an A-label", { request: { url: "https://xn--bcher-kva.example/x" }, requirement: "A22" });
same.open("htu-idn-u-label", "an IDN as a U-label is no URI", ["invalid_dpop_proof", "accept"], { request: { url: "https://xn--bcher-kva.example/x" }, ...claim("https://bücher.example/x") });
same.accept("htu-sub-delims", "reserved characters in the path", { request: { url: "https://rs.example/a;v=1,2/b@c:d!$&'()*+" }, requirement: "A22" });
same.accept("htu-long", "a path of eight hundred octets", { request: { url: `https://rs.example/${"segment/".repeat(100)}` }, requirement: "A22" });
same.accept("htu-encoded-slash-kept", "%2F within a segment", { request: { url: "https://rs.example/files/a%2Fb" }, requirement: "A22" });
same.accept("htu-double-slash-kept", "a double slash on both sides", { request: { url: "https://rs.example/a//b" }, requirement: "A22" });
same.accept("htu-trailing-slash-kept", "a trailing slash on both sides", { request: { url: `https://rs.example${PATH}/` }, requirement: "A22 I02" });
same.accept("htu-all-at-once", "case, port, dot segments and encodings at once", { request: { url: "https://rs.example/~a/b%2Fc" }, ...claim("HTTPS://RS.EXAMPLE:443/x/../%7ea/./b%2fc"), ...lax });

const query = subject({ group: "htu", section: "4.3(9)", requirement: "A22 I01 H11" });
query.accept("htu-request-query", "a query of the request is ignored", { request: { url: `https://rs.example${PATH}?page=2&q=a%20b`, htu: `https://rs.example${PATH}` } });
query.accept("htu-request-query-slash", "a slash and dots in the query of the request", { request: { url: `https://rs.example${PATH}?to=/../x`, htu: `https://rs.example${PATH}` } });
query.accept("htu-request-fragment", "a fragment in the target as the server knows it", { request: { url: `https://rs.example${PATH}#top`, htu: `https://rs.example${PATH}` } });
query.accept("htu-query", "a query in htu is ignored", { ...claim(`https://rs.example${PATH}?page=2`) });
query.accept("htu-fragment", "a fragment in htu is ignored", { ...claim(`https://rs.example${PATH}#top`) });
query.accept("htu-query-and-fragment", "query and fragment in htu are ignored", { ...claim(`https://rs.example${PATH}?a=b#c?d`) });
query.accept("htu-query-both", "different queries on both sides", { request: { url: `https://rs.example${PATH}?a=1`, htu: `https://rs.example${PATH}?b=2` } });
query.accept("htu-empty-query", "an empty query in htu", { ...claim(`https://rs.example${PATH}?`) });
query.accept("htu-query", "a query in htu at the token endpoint", { at: "as", ...claim("https://as.example/token?x=1#y") });
query.accept("htu-request-query", "a query at the token endpoint", { at: "as", request: { url: "https://as.example/token?tenant=1", htu: "https://as.example/token" } });
query.refuse("htu-query-other-path", "a query does not excuse another path", { ...claim("https://rs.example/?/api/items") });
query.refuse("htu-encoded-query", "%3F is no query", { ...claim(`https://rs.example${PATH}%3Fpage=2`) });
query.refuse("htu-request-encoded-query", "%3F in the request's path is no query", { request: { url: `https://rs.example${PATH}%3Fpage=2` }, ...claim(`https://rs.example${PATH}`) });
query.accept("htu-query-garbage", "whatever stands in a query is ignored", { ...claim(`https://rs.example${PATH}?a=/../b&c=https://evil.example/`) });

// Targets that are others

const other = subject({ group: "htu", section: "4.3(9)", requirement: "A22" });
other.refuse("htu-other-host", "another host", { at: "both", ...claim(`https://other.example${PATH}`) });
other.refuse("htu-other-path", "another path", { ...claim("https://rs.example/api/other") });
other.refuse("htu-other-path", "another path at the token endpoint", { at: "as", ...claim("https://as.example/par") });
other.refuse("htu-other-port", "another port", { ...claim(`https://rs.example:8443${PATH}`) });
other.refuse("htu-port-80", "port 80 with https", { ...claim(`https://rs.example:80${PATH}`) });
other.refuse("htu-http", "http for https", { at: "rs", ...claim(`http://rs.example${PATH}`), section: "2, 4.3(9)", requirement: "A01 A22" });
other.refuse("htu-http", "http for https at the token endpoint", { at: "as", ...claim("http://as.example/token"), section: "2, 4.3(9)", requirement: "A01 A22" });
other.refuse("htu-http-443", "http with port 443", { ...claim(`http://rs.example:443${PATH}`), requirement: "A01 A22" });
other.refuse("htu-https-for-http", "https for a request that came over http", { request: { url: `http://rs.example${PATH}` }, ...claim(`https://rs.example${PATH}`), section: "2, 4.3(9)", requirement: "A01 A22" });
other.refuse("htu-both-http", "http on both sides: DPoP is for https", { request: { url: `http://rs.example${PATH}` }, also: ["invalid_request"], section: "2", requirement: "A01" });
other.refuse("htu-both-http", "http on both sides at the token endpoint", { at: "as", request: { url: "http://as.example/token" }, also: ["invalid_request"], section: "2", requirement: "A01" });
other.accept("htu-https", "https on both sides", { at: "both", section: "2", requirement: "A01" });
other.open("htu-http-loopback", "http on a developer's own machine", ["accept", "invalid_dpop_proof", "invalid_request"], { request: { url: "http://localhost:8787/items" }, section: "2", requirement: "A01" });
other.open("htu-http-loopback-ip", "http to 127.0.0.1", ["accept", "invalid_dpop_proof", "invalid_request"], { request: { url: "http://127.0.0.1:3000/items" }, section: "2", requirement: "A01" });
other.refuse("htu-http-localhost-look-alike", "http to a host that only starts like localhost", { request: { url: "http://localhost.example/items" }, also: ["invalid_request"], section: "2", requirement: "A01" });
for (const [name, htu, requirement = "A22"] of [
  ["trailing-slash", `https://rs.example${PATH}/`, "A22 I02"],
  ["double-slash", "https://rs.example/api//items"], ["leading-double-slash", `https://rs.example/${PATH}`],
  ["path-case", "https://rs.example/API/items", "A22 I05"], ["encoded-slash", "https://rs.example/api%2Fitems", "A22 I04"],
  ["parameter", `https://rs.example${PATH};v=1`], ["prefix", "https://rs.example/api"], ["longer", `https://rs.example${PATH}/1`],
  ["no-path", "https://rs.example"], ["subdomain", `https://api.rs.example${PATH}`],
  ["suffix-domain", `https://rs.example.evil.example${PATH}`], ["trailing-dot-host", `https://rs.example.${PATH}`],
  ["userinfo", `https://user@rs.example${PATH}`, "A22 I07"], ["userinfo-password", `https://user:pw@rs.example${PATH}`, "A22 I07"],
  ["userinfo-host", `https://rs.example@evil.example${PATH}`, "A22 I07"], ["empty-userinfo", `https://@rs.example${PATH}`, "A22 I07"],
  ["backslash", "https://rs.example\\api\\items"], ["backslash-host", `https://evil.example\\@rs.example${PATH}`],
  ["blank-before", ` https://rs.example${PATH}`], ["blank-after", `https://rs.example${PATH} `], ["blank-within", "https://rs.example/api/ items"],
  ["newline", `https://rs.example${PATH}\n`], ["tab", "https://rs.example/api/\titems"], ["nul", `https://rs.example${PATH}\0`],
  ["relative", PATH], ["scheme-relative", `//rs.example${PATH}`], ["no-scheme", `rs.example${PATH}`], ["one-slash", `https:/rs.example${PATH}`],
  ["wss", `wss://rs.example${PATH}`], ["urn", "urn:rs.example:items"],
  ["port-too-large", `https://rs.example:65979${PATH}`], ["port-letters", `https://rs.example:443a${PATH}`],
  ["bad-percent", "https://rs.example/api/%zz"], ["cut-percent", `https://rs.example${PATH}%`], ["double-encoded", "https://rs.example/%2561pi/items"],
  ["dot-dot-too-far", `https://rs.example/../..//${PATH}`],
  ["non-ascii", "https://rs.example/api/itéms"], ["host-percent", `https://rs%2Eexample%2F${PATH}`],
]) {
  other.refuse(`htu-${name}`, `htu ${JSON.stringify(htu)}`, { ...claim(htu), requirement });
}
other.refuse("htu-trailing-slash-less", "no trailing slash for a request with one", { request: { url: `https://rs.example${PATH}/` }, ...claim(`https://rs.example${PATH}`), requirement: "A22 I02" });
other.refuse("htu-trailing-slash", "a trailing slash at the token endpoint", { at: "as", ...claim("https://as.example/token/"), requirement: "A22 I02" });
other.refuse("htu-userinfo", "userinfo at the token endpoint", { at: "as", ...claim("https://user@as.example/token"), requirement: "A22 I07" });
other.refuse("htu-ipv6-zone", "an IPv6 zone", { request: { url: "https://[2001:db8::1]/x" }, ...claim("https://[2001:db8::1%25eth0]/x") });
other.refuse("htu-ipv6-open", "an open bracket", { request: { url: "https://[2001:db8::1]/x" }, ...claim("https://[2001:db8::1/x") });
other.refuse("htu-issuer", "the authorization server's token endpoint", { ...claim("https://as.example/token") });
for (const [name, value] of [["missing", undefined], ["null", null], ["number", 1], ["empty", ""], ["array", [`https://rs.example${PATH}`]], ["object", { url: `https://rs.example${PATH}` }]]) {
  other.refuse(`htu-${name}`, `htu ${name}`, { at: name === "missing" ? "both" : "rs", proof: { payload: { htu: value } }, requirement: "A17 A22" });
}
other.refuse("htu-very-long", "htu of a thousand octets", { ...claim(`https://rs.example/${"a".repeat(1000)}`) });
other.refuse("htu-many-dots", "four hundred dot segments that lead elsewhere", { ...claim(`https://rs.example/${"a/../".repeat(200)}x`) });
other.refuse("htu-forwarded-host", "X-Forwarded-Host and Host fields do not count", { ...claim(`https://other.example${PATH}`), headers: (headers) => [...headers, ["X-Forwarded-Host", "other.example"], ["Forwarded", "host=other.example"]] });

export default [htm, same, query, other].flatMap(({ cases }) => cases);
