// A resource server for the tests, on @keybound/edge/node, over real HTTP or TLS.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { dist } from "../support/paths.mjs";
import { makeCertificate } from "./certificates.mjs";
import { openNodeDoor } from "./door.mjs";

const { createNodeResourceServer, peerCertificate } = await import(pathToFileURL(join(dist.edge, "node.js")).href);

export const AUDIENCE = "https://api.example";

/**
 * Starts it. It answers a request that may use its token with `{ claims, mechanisms }`. `nonces`: whether it asks for
 * them; `tls`: whether it asks for certificates. `reasons` has a line for each decision, null for an acceptance.
 */
export async function startApi({ issuer, tokens, nonces = false, tls: isTls = false }) {
  const tls = isTls ? await makeCertificate("api") : undefined;
  const door = await openNodeDoor({ tls });
  const reasons = [];
  const server = createNodeResourceServer({
    issuer,
    audience: AUDIENCE,
    tokens,
    publicUrl: door.origin,
    // The clients' certificates are their own work (RFC 8705 §2.2).
    ...(isTls && { certificates: [peerCertificate({ allowSelfSigned: true })] }),
    ...(nonces && { nonce: { secrets: [randomBytes(32)] } }),
    onDecision: ({ reason }) => reasons.push(reason ?? null),
  });
  door.serve(async (incoming, outgoing) => {
    const decision = await server.protect(incoming, outgoing);
    if (decision === null) return;
    const { claims, mechanisms } = decision;
    outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ claims, mechanisms }));
  });
  return { origin: door.origin, authority: tls?.cert, reasons, close: door.close };
}
