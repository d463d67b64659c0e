// Method, URL and the fields that carry token and proof.
import { CERTIFICATE } from "./certificates.mjs";
import { onRequest } from "./table.mjs";

const authorization = (id, change) =>
  onRequest(`authorization/${id}`, (scenario, random) => scenario.authorization.push((text) => change(text, random)));
const dpop = (id, change) => onRequest(`dpop/${id}`, (scenario, random) => scenario.dpop.push((text) => change(text, random)));
const fields = (id, change) => onRequest(`fields/${id}`, (scenario, random) => scenario.fields.push((list) => change(list, random)));
const named = (list, name) => list.filter(([other]) => other.toLowerCase() === name);
const without = (list, name) => list.filter(([other]) => other.toLowerCase() !== name);
const method = (id, change) =>
  onRequest(`method/${id}`, (scenario, random) => {
    const before = scenario.method;
    scenario.method = change(before, random);
  });
const url = (id, change) =>
  onRequest(`url/${id}`, (scenario, random) => {
    const before = scenario.url;
    const after = change(before, random);
    scenario.url = after;
    // The proof is for where the request went before it was changed.
    if (typeof scenario.proof.payload.get("htu") === "function") scenario.proof.payload.set("htu", () => JSON.stringify(before.replace(/[?#].*$/, "")));
  });

export default [
  ...["HEAD", "OPTIONS", "POST", "get", "post", "patch", "M-SEARCH", "x", "QUERY"].map((name) => method(name, () => name)),
  method("other-case", (name, random) => random.pick([name.toLowerCase(), name.toUpperCase()])),
  url("query", (text) => `${text.replace(/[?#].*$/, "")}?a=b&c=%20`),
  url("fragment", (text) => `${text}#top`),
  url("port-default", (text) => text.replace(/^(https?:\/\/(?:\[[^\]]*\]|[^:/]*))\//, (whole, front) => `${front}:${front.startsWith("https") ? 443 : 80}/`)),
  url("port-other", (text) => text.replace(/^(https?:\/\/(?:\[[^\]]*\]|[^:/]*))(?::\d+)?\//, "$1:8444/")),
  url("host-upper", (text) => text.replace(/\/\/[^/]*/, (host) => host.toUpperCase())),
  url("host-other", (text) => text.replace(/\/\/[^/]*/, "//other.example")),
  url("host-dot", (text) => text.replace("example/", "example./")),
  url("path-other", (text) => text.replace(/(\/\/[^/]*)\/[^?#]*/, "$1/other")),
  url("path-slash", (text) => text.replace(/(\/\/[^/]*\/[^?#]*)/, "$1/")),
  url("path-case", (text) => text.replace("/orders", "/Orders")),
  url("path-encoded", (text) => text.replace("/orders", "/%6frders")),
  url("path-dots", (text) => text.replace("/orders", "/x/../orders")),
  url("path-unicode", (text) => text.replace("/orders", "/\u00f6rders")),
  url("path-space", (text) => text.replace("/orders", "/or ders")),
  url("path-double", (text) => text.replace("/orders", "//orders")),
  url("http", (text) => text.replace("https:", "http:").replace(":8443", "")),
  // A client and a server that both leave TLS out.
  onRequest("url/http-with-its-proof", (scenario) => (scenario.url = "http://api.example/orders")),
  onRequest("url/http-loopback-look-alike", (scenario, random) => {
    scenario.url = random.pick(["http://localhost.example/", "http://127.0.0.1.example/", "http://notlocalhost/", "http://128.0.0.1/", "http://app.localhost/", "http://[::1]:3000/", "http://127.9.9.9/"]);
  }),
  ...["dpop", "DPOP", "dPoP"].map((scheme) => onRequest(`scheme/${scheme}`, (scenario) => (scenario.scheme = scheme))),
  ...["Bearer", "bearer", "Basic", "DPoP2", "DPoP:", "", "JWT", "DPoP,", "\u00d0PoP"].map((scheme) => onRequest(`scheme/${scheme}`, (scenario) => (scenario.scheme = scheme))),
  ...["  ", "     ", "\t", " \t", "", "=", ", "].map((gap) => onRequest(`gap/${JSON.stringify(gap)}`, (scenario) => (scenario.gap = gap))),
  authorization("blanks-around", (text, random) => random.pick([" ", "\t", "  "]) + text + random.pick([" ", "\t", " \t"])),
  ...[" x", ",", ", ", ";", "=", "==", " =", "\tx", "~", "+", "/", ":", '"', "\u00e9", "\u00a0", ".", ", DPoP x", ', realm="x"', " DPoP"].map((end) => authorization(`end ${JSON.stringify(end)}`, (text) => text + end)),
  authorization("quoted", (text) => text.replace(/ (.*)$/, ' "$1"')),
  authorization("named", (text) => text.replace(/ (.*)$/, " token=$1")),
  authorization("cut", (text, random) => text.slice(0, random.below(text.length))),
  authorization("scheme-only", (text, random) => random.pick(["DPoP", "DPoP ", "DPoP  "])),
  authorization("not-utf-8", (text) => `${text}\u00ff`),
  authorization("large", (text) => text + "A".repeat(33_000)),
  dpop("blanks-around", (text, random) => random.pick([" ", "\t", ""]) + text + random.pick([" ", "\t", " \t"])),
  ...[",", ", ", " ,x", ";", " x", "=", "\u00e9", "\u00a0", "\t."].map((end) => dpop(`end ${JSON.stringify(end)}`, (text) => text + end)),
  dpop("comma-before", (text) => `,${text}`),
  dpop("empty", (text, random) => random.pick(["", " ", ","])),
  dpop("scheme-before", (text) => `DPoP ${text}`),
  dpop("quoted", (text) => `"${text}"`),
  dpop("structured", (text) => `:${text}:`),
  fields("dpop-upper", (list) => list.map(([name, value]) => [name.toUpperCase(), value])),
  fields("dpop-lower", (list) => list.map(([name, value]) => [name.toLowerCase(), value])),
  fields("dpop-twice", (list) => [...list, ...named(list, "dpop")]),
  fields("dpop-twice-other", (list, random) => random.pick([[...list, ["DPoP", "x"]], [["dpop", "a.b.c"], ...list], [...list, ["DPoP", ""]]])),
  fields("dpop-missing", (list) => without(list, "dpop")),
  fields("dpop-elsewhere", (list) => list.map(([name, value]) => [name.replace("DPoP", "X-DPoP"), value])),
  fields("authorization-twice", (list) => [...list, ...named(list, "authorization")]),
  fields("authorization-both", (list, random) => {
    const bearer = named(list, "authorization").map(([name, value]) => [name, value.replace(/^\S+/, "Bearer")]);
    return random.chance(0.5) ? [...list, ...bearer] : [...bearer, ...list];
  }),
  fields("authorization-missing", (list) => without(list, "authorization")),
  fields("authorization-of-a-proxy", (list) => list.map(([name, value]) => [name.replace("Authorization", "Proxy-Authorization"), value])),
  fields("swapped", (list) => {
    const [[, first], [, second]] = list.length > 1 ? list : [["", ""], ["", ""]];
    return [["Authorization", `DPoP ${second}`], ["DPoP", first.replace(/^\S+ /, "")]];
  }),
  fields("others", (list) => [["X-Forwarded-Host", "other.example"], ["X-HTTP-Method-Override", "DELETE"], ["Forwarded", "host=other.example;proto=http"], ["X-Original-URL", "/other"], ...list]),
  // A certificate proves nothing for a token that is not bound to it, and takes nothing away.
  onRequest("certificate", (scenario) => (scenario.certificate = CERTIFICATE.der)),
];
