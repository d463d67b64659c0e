// Two client certificates (the examples of RFC 8705 and RFC 9440) and a server whose token is bound to the first.
import { readFileSync } from "node:fs";
import { X509Certificate, createHash } from "node:crypto";
import { makeRequest, makeWorld } from "./support.mjs";

const vector = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));

function certificate(pem) {
  const der = new X509Certificate(pem).raw;
  const digest = createHash("sha256").update(der).digest();
  const hex = digest.toString("hex");
  return {
    pem,
    der: new Uint8Array(der),
    base64: der.toString("base64"),
    x5t: digest.toString("base64url"),
    hex,
    field: `:${der.toString("base64")}:`,
  };
}

export const CERTIFICATE = certificate(vector("rfc8705").pem);
export const OTHER = certificate(vector("rfc9440").certs[0].pem);
export const SHA1_HEX = vector("rfc8705").sha1_hex;

/** `request.cf` as Cloudflare fills it. */
export const cloudflare = (fields = {}) => ({
  tlsClientAuth: {
    certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", certRFC9440: CERTIFICATE.field, certRFC9440TooLarge: false,
    certFingerprintSHA256: CERTIFICATE.hex, ...fields,
  },
});

/** A world whose token is bound to the certificate; `present()` sends it as Bearer. */
export async function makeCertificateWorld(options = {}, claims = {}) {
  const world = await makeWorld(options, { claims: { cnf: { "x5t#S256": CERTIFICATE.x5t }, ...claims } });
  const present = (request = {}, context = {}) =>
    world.server.authenticate(makeRequest({ token: world.token, scheme: "Bearer", ...request }), context);
  return { ...world, present };
}
