// What a Node server can say, and what its compiler must refuse. Compiled, never run.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { certificates, createResourceServer, type Accepted, type Binding } from "@keybound/edge";
import { accepted, createNodeResourceServer, createNodeTokenEndpoint, finishOn, peerCertificate, send } from "@keybound/edge/node";

const api = createNodeResourceServer({
  issuer: "https://as.example",
  audience: "https://api.example",
  publicUrl: "https://api.example",
  certificates: [peerCertificate({ allowSelfSigned: true }), certificates.clientCertHeader({ trusted: true })],
});
createNodeResourceServer({ issuer: "https://as.example", audience: "a", publicUrl: ["https://api.example"] });
createNodeResourceServer({ issuer: "https://as.example", audience: "a", publicUrl: (request) => request.url });

// @ts-expect-error: publicUrl is required
createNodeResourceServer({ issuer: "https://as.example", audience: "https://api.example" });
// @ts-expect-error: and undefined is not enough
createNodeResourceServer({ issuer: "https://as.example", audience: "https://api.example", publicUrl: undefined });
// @ts-expect-error: also for a token endpoint
createNodeTokenEndpoint({ nonce: { secrets: ["s".repeat(32)] } });
// Elsewhere the URL is the platform's.
createResourceServer({ issuer: "https://as.example", audience: "https://api.example" });

const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const auth: Accepted | null = await api.protect(request, response, { scope: "orders:read", context: { explain: true } });
  // @ts-expect-error: it may have been answered
  auth.claims;
  if (auth === null) return;
  if (auth.mechanisms.includes("mtls")) await send(response, auth.forbid("admin"));
  response.end(String(auth.claims["sub"]));
};
createServer(handle);
createTlsServer({ requestCert: true }, handle);
createSecureServer({ requestCert: true }, async (request: Http2ServerRequest, response: Http2ServerResponse) => {
  const decision = await api.authenticate(request);
  if (!decision.ok) return send(response, decision.response());
  finishOn(response, decision);
  response.end(String(decision.claims["sub"]));
});

type Next = (error?: unknown) => void;
type Handler = (request: IncomingMessage & { originalUrl: string }, response: ServerResponse, next: Next) => unknown;
const chain: Handler[] = [api.middleware(), api.middleware({ scope: "a" }), (request, response) => response.end(String(accepted(request).claims["sub"]))];
// @ts-expect-error: scopes are one text
api.middleware({ scope: ["a"] });

const endpoint = createNodeTokenEndpoint({ publicUrl: "https://as.example" });
createServer(async (request, response) => {
  if (await endpoint.preflight(request, response)) return;
  const binding: Binding | null = await endpoint.bind(request, response, { endpoint: "par", clientType: "public" });
  if (binding !== null) response.end(JSON.stringify({ cnf: binding.cnf, chain: chain.length }));
});
