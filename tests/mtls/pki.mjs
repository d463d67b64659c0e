// The certificates of one run: an authority, a server's, and clients' of every kind. Made now, kept in memory.
import { createHash, X509Certificate } from "node:crypto";
import { mtlsFront } from "./packages.mjs";

const { CertificateAuthority, selfSigned } = mtlsFront;
const DAY = 24 * 60 * 60 * 1000;

/** The server asks for certificates under the one name, and not under the other. */
export const ASKING = "api.test";
export const NOT_ASKING = "www.test";

/** What the registered client's certificates are called (RFC 8705 §2.1.2, `tls_client_auth_san_uri`). */
export const MACHINE = "urn:example:machine";
const names = [{ type: "url", value: MACHINE }];

/**
 * `clients` by what they are; each has `x5t`, what a token of it is bound to. The file of the authority holds its
 * certificate alone: whoever comes with a long chain presents it.
 */
export async function makePki() {
  const root = await CertificateAuthority.create({ subject: "CN=Root, O=Tests" });
  const first = await root.createAuthority({ subject: "CN=First, O=Tests", keyType: "RSA" });
  const second = await first.createAuthority({ subject: "CN=Second, O=Tests" });
  const third = await second.createAuthority({ subject: "CN=Third, O=Tests", keyType: "RSA" });

  const good = await root.issueClient({ subject: "CN=good, O=Tests", names });
  const clients = {
    good,
    other: await root.issueClient({ subject: "CN=good, O=Tests", names }),
    renewed: await root.issueClient({ subject: "CN=good, O=Tests", names, key: good.key }),
    rsa: await root.issueClient({ subject: "CN=rsa, O=Tests", names, keyType: "RSA" }),
    chained: await third.issueClient({ subject: "CN=chained, O=Tests", names }),
    unicode: await root.issueClient({ subject: 'CN="Ünïcode, 名前 = \\"x\\"; y", O=Prüfstelle 検査 🔑', names }),
    revoked: await root.issueClient({ subject: "CN=revoked, O=Tests", names }),
    expired: await root.issueClient({ subject: "CN=expired, O=Tests", names, notBefore: new Date(Date.now() - 9 * DAY), notAfter: new Date(Date.now() - 5 * DAY) }),
    "self-signed": await selfSigned({ subject: "CN=good, O=Tests", names }),
  };
  root.revoke(clients.revoked);
  const lists = await Promise.all([root, first, second, third].map((authority) => authority.revocationList()));
  const server = await root.issueServer({
    subject: `CN=${ASKING}`,
    names: [ASKING, NOT_ASKING, "localhost"].map((value) => ({ type: "dns", value })).concat({ type: "ip", value: "127.0.0.1" }),
  });
  return {
    ca: root.certificate,
    lists,
    crl: lists.join(""),
    server,
    clients: Object.fromEntries(Object.entries(clients).map(([name, identity]) => [name, { ...identity, ...facts(identity) }])),
  };
}

/** One more, of nobody's. */
export async function selfSignedClient() {
  const identity = await selfSigned({ subject: "CN=somebody" });
  return { ...identity, ...facts(identity) };
}

/** Worked out here by OpenSSL, with none of our own code. */
function facts({ cert }) {
  const { raw } = new X509Certificate(cert);
  return { der: raw, x5t: createHash("sha256").update(raw).digest("base64url") };
}
