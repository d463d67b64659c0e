// Certificates for one run: an authority, what it signed, and what nobody vouches for.
import { X509Certificate, createHash, webcrypto } from "node:crypto";
import "reflect-metadata";

const x509 = await import("@peculiar/x509");
x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 24 * 60 * 60 * 1000;
const serial = () => `4${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString("hex")}`;

/** When a certificate holds: from some days ago to in some days. */
const within = (from, to) => ({ notBefore: new Date(Date.now() + from * DAY), notAfter: new Date(Date.now() + to * DAY) });
export const CURRENT = within(-1, 1);
export const EXPIRED = within(-2, -1);
export const TO_COME = within(1, 2);

async function pair() {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  return { keys, key: x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY") };
}

/** What a TLS end presents (`key` and `cert`, PEM) and what tokens are bound to (RFC 8705 §3.1). */
function identity(key, certificate) {
  const cert = certificate.toString("pem");
  const { raw } = new X509Certificate(cert);
  return { key, cert, certificate, x5t: createHash("sha256").update(raw).digest("base64url"), field: `:${raw.toString("base64")}:` };
}

export async function makeSelfSigned(name, { validity = CURRENT, extensions = [] } = {}) {
  const { keys, key } = await pair();
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(), name: `CN=${name}`, keys, signingAlgorithm: ALGORITHM, ...validity,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }]), ...extensions],
  });
  return { ...identity(key, made), keys };
}

/** An authority: its own certificate, `issue(name)` for what it signs, `revoke(...)` for a list of what it takes back (PEM). */
export async function makeAuthority(name = "authority") {
  const own = await makeSelfSigned(name, {
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const signed = { issuer: own.certificate.subject, signingKey: own.keys.privateKey, signingAlgorithm: ALGORITHM };
  return {
    cert: own.cert,
    async issue(subject, validity = CURRENT) {
      const { keys, key } = await pair();
      const made = await x509.X509CertificateGenerator.create({
        serialNumber: serial(), subject: `CN=${subject}`, publicKey: keys.publicKey, ...signed, ...validity,
        extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])],
      });
      return identity(key, made);
    },
    async revoke(...identities) {
      const list = await x509.X509CrlGenerator.create({
        issuer: signed.issuer, signingKey: signed.signingKey, signingAlgorithm: ALGORITHM,
        thisUpdate: CURRENT.notBefore, nextUpdate: CURRENT.notAfter,
        entries: identities.map(({ certificate }) => ({ serialNumber: certificate.serialNumber, revocationDate: CURRENT.notBefore })),
      });
      return x509.PemConverter.encode(list.rawData, "X509 CRL");
    },
  };
}
