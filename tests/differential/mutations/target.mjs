// htu against the request's URL: other spellings of one target, and other targets.
import { onProof } from "./table.mjs";

/** Changes the text of htu, which is the request's URL without query and fragment. */
const htu = (id, change) =>
  onProof(`htu/${id}`, (jwt, random) => {
    const before = jwt.payload.get("htu");
    jwt.payload.set("htu", (rendering) => {
      const text = typeof before === "function" ? JSON.parse(before(rendering)) : rendering.htu;
      return JSON.stringify(change(typeof text === "string" ? text : rendering.htu, random));
    });
  });
const inPath = (id, change) =>
  htu(id, (text, random) => {
    const at = text.indexOf("/", text.indexOf("//") + 2);
    return at < 0 ? text : text.slice(0, at) + change(text.slice(at), random);
  });
const inHost = (id, change) =>
  htu(id, (text, random) => text.replace(/^([^/]*\/\/)(\[[^\]]*\]|[^:/?#]*)/, (whole, scheme, host) => scheme + change(host, random)));
const inserted = (text, what, random) => {
  const at = 1 + random.below(text.length);
  return text.slice(0, at) + what + text.slice(at);
};
const encoded = (octet, upper) => {
  const hex = octet.charCodeAt(0).toString(16).padStart(2, "0");
  return `%${upper ? hex.toUpperCase() : hex}`;
};
/** Percent-encodes one character out of those that fit. */
const encodeOne = (pattern) => (text, random) => {
  const places = [...text.matchAll(pattern)];
  if (places.length === 0) return text;
  const { index } = random.pick(places);
  return text.slice(0, index) + encoded(text[index], random.chance(0.5)) + text.slice(index + 1);
};

export default [
  htu("scheme-upper", (text) => text.replace(/^\w+/, (scheme) => scheme.toUpperCase())),
  htu("scheme-http", (text) => text.replace(/^https/, "http")),
  htu("scheme-https", (text) => text.replace(/^http:/, "https:")),
  ...["ws", "wss", "ftp", "urn", "javascript", "data", "httpss", ""].map((scheme) => htu(`scheme ${scheme}`, (text) => text.replace(/^\w+/, scheme))),
  inHost("host-upper", (host) => host.toUpperCase()),
  inHost("host-other", () => "other.example"),
  inHost("host-below", (host) => `x.${host}`),
  inHost("host-dot", (host) => `${host}.`),
  inHost("host-empty", () => ""),
  inHost("host-encoded", encodeOne(/[a-z0-9-]/g)),
  inHost("host-unicode", (host) => host.replace("xn--bcher-kva", "b\u00fccher")),
  inHost("host-unicode-encoded", (host) => host.replace("xn--bcher-kva", "b%C3%BCcher")),
  inHost("host-full-width", (host) => host.replace("e", "\uff45")),
  inHost("host-soft-hyphen", (host, random) => inserted(host, random.pick(["\u00ad", "\u200b", "\u2060"]), random)),
  inHost("host-soft-hyphen-encoded", (host, random) => inserted(host, "%C2%AD", random)),
  inHost("host-ideographic-stop", (host) => host.replace(".", random3002(host))),
  inHost("host-address", (host, random) => host.replace("127.0.0.1", random.pick(["127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "127.0.1", "127.0.0.1."]))),
  inHost("host-address-encoded", (host) => host.replace("192.0.2.7", "%3192.0.2.7")),
  inHost("host-address-long", (host, random) => host.replace("[2001:db8::1]", random.pick(["[2001:0db8::1]", "[2001:db8:0:0:0:0:0:1]", "[2001:DB8::1]", "[2001:db8::0001]", "[2001:db8::0.0.0.1]"]))),
  inHost("host-address-odd", (host, random) => host.replace("[2001:db8::1]", random.pick(["2001:db8::1", "[2001:db8::1%25eth0]", "[2001:db8::1", "[v1.a]", "[::1]"]))),
  inHost("host-blank", (host, random) => inserted(host, random.pick([" ", "\t", "\n", "%20", "^", "|", "<"]), random)),
  htu("port-default", (text) => withPort(text, text.startsWith("https") ? ":443" : ":80")),
  htu("port-empty", (text) => withPort(text, ":")),
  htu("port-zeros", (text) => withPort(text, text.startsWith("https") ? ":0443" : ":00080")),
  ...[":80", ":443", ":8443", ":8080", ":0", ":65535", ":65536", ":99999", ":-443", ":+443", ":4a", ":443:443", ": 443", ":443 ", ":\t443", ":0x1bb", ":443.0", ":\u0664\u0664\u0663"].map((port) =>
    htu(`port ${JSON.stringify(port)}`, (text) => withPort(text, port)),
  ),
  ...["user@", "user:pw@", "@", ":@", "user%40@", "other.example@"].map((info) => htu(`userinfo ${info}`, (text) => text.replace("//", `//${info}`))),
  ...["?", "?page=2", "?a=b#c", "#", "#top", "#?", "?../..", "?\\", "?\u00e4", "# x", "?%zz", "?/other"].map((end) => htu(`end ${JSON.stringify(end)}`, (text) => text + end)),
  inPath("slash-more", (path) => `${path}/`),
  inPath("slash-less", (path) => path.replace(/\/$/, "")),
  inPath("slash-double", (path) => path.replace("/", "//")),
  inPath("dots", (path, random) => path.replace("/", random.pick(["/./", "/x/../", "/../", "/%2e/", "/x/%2e%2E/", "/x/.%2e/", "/x//../../", "/././", "/x/y/../../"]))),
  inPath("dots-after", (path, random) => path + random.pick(["/.", "/..", "/x/..", "/%2e", "/./", "/x/../.", "..", "."])),
  inPath("dots-slashes", (path, random) => random.pick([`/x//..${path}`, `//..${path}`, `/..//${path.slice(1)}`, `/.//${path.slice(1)}`])),
  inPath("unreserved-encoded", encodeOne(/[A-Za-z0-9~._-]/g)),
  inPath("reserved-encoded", encodeOne(/[!$&'()*+,;=:@]/g)),
  inPath("slash-encoded", encodeOne(/(?<=.)\//g)),
  inPath("encoding-case", (path) => path.replace(/%[0-9a-f]{2}/gi, (code) => (code === code.toUpperCase() ? code.toLowerCase() : code.toUpperCase()))),
  inPath("decoded", (path) => path.replace(/%([0-9a-f]{2})/i, (code, hex) => String.fromCharCode(parseInt(hex, 16)))),
  inPath("encoded-twice", (path) => path.replace("%", "%25")),
  inPath("bar-encoded", (path) => path.replace("|", "%7C")),
  ...["%", "%2", "%zz", "%u0041", "%%", "%-1"].map((code) => inPath(`encoding-bad ${code}`, (path, random) => inserted(path, code, random))),
  ...["|", "^", "[", "]", '"', "<", ">", "`", "{", "}", " ", "\t", "\n", "\r", "\\", "\u00e4", "\u0000", "\u007f", "\u20ac", "\ud83d\ude00", "%C3%A4", "%00", "%7C", "%5E", "\ud800"].map((character) =>
    inPath(`with ${JSON.stringify(character)}`, (path, random) => inserted(path, character, random)),
  ),
  inPath("case", (path) => path.toUpperCase()),
  inPath("parameter", (path) => `${path};v=1`),
  inPath("other", () => "/other"),
  inPath("none", () => ""),
  inPath("backslashes", (path) => path.replaceAll("/", "\\")),
  ...[" ", "\t", "\n", "\u0000", "\u00a0", "\u001f"].map((blank) => htu(`blank-around ${JSON.stringify(blank)}`, (text, random) => random.pick([blank + text, text + blank]))),
  htu("blank-in-scheme", (text, random) => inserted(text.slice(0, 4), random.pick(["\t", "\n"]), random) + text.slice(4)),
  htu("slashes-missing", (text) => text.replace("//", "")),
  htu("slash-missing", (text) => text.replace("//", "/")),
  htu("slashes-more", (text, random) => text.replace("//", random.pick(["///", "////"]))),
  htu("slashes-back", (text, random) => text.replace("//", random.pick(["\\\\", "/\\", "\\/"]))),
  htu("relative", (text) => text.replace(/^[^/]*\/\/[^/]*/, "")),
  htu("without-scheme", (text) => text.replace(/^[^/]*/, "")),
  htu("quoted", (text, random) => random.pick([`<${text}>`, `"${text}"`, `URL:${text}`])),
  htu("two", (text) => `${text} ${text}`),
  htu("large", (text) => `${text}?${"a".repeat(4000)}`),
  onProof("htu/in-array", (jwt) => jwt.payload.set("htu", ({ htu: text }) => JSON.stringify([text]))),
];

const withPort = (text, port) => text.replace(/^([^/]*\/\/(?:\[[^\]]*\]|[^:/?#]*))(?::\d*)?/, (whole, front) => front + port);
function random3002(host) {
  return host.length % 2 === 0 ? "\u3002" : "\uff0e";
}
