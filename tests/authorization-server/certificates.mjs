// Certificates for one run: the TLS door's own, and clients' that nobody vouches for (RFC 8705 §2.2). And a `fetch` that presents one.
import { request as send } from "node:https";
import { X509Certificate, createHash, webcrypto } from "node:crypto";
import "reflect-metadata";

const x509 = await import("@peculiar/x509");
x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 24 * 60 * 60 * 1000;

/** A key and its self-signed certificate, both PEM; `x5t` is what a token is bound to (RFC 8705 §3.1). */
export async function makeCertificate(name) {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `4${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString("hex")}`,
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + DAY),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }])],
  });
  const cert = certificate.toString("pem");
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { key, cert, x5t: createHash("sha256").update(new X509Certificate(cert).raw).digest("base64url") };
}

/** As `fetch`, over TLS, presenting `identity` (null: no certificate) to the server that has the certificate `authority`. */
export function fetchWithCertificate(identity, authority) {
  return async (url, init = {}) => {
    const request = new Request(url, init);
    if (request.url.startsWith("http:")) return fetch(request);
    const body = Buffer.from(await request.arrayBuffer());
    const { key, cert } = identity ?? {};
    return new Promise((resolve, reject) => {
      const outgoing = send(
        request.url,
        { method: request.method, headers: Object.fromEntries(request.headers), key, cert, ca: authority, agent: false },
        async (incoming) => {
          const chunks = [];
          for await (const chunk of incoming) chunks.push(chunk);
          const headers = new Headers(Object.entries(incoming.headersDistinct).flatMap(([name, values]) => values.map((value) => [name, value])));
          resolve(new Response(Buffer.concat(chunks), { status: incoming.statusCode, headers }));
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  };
}
