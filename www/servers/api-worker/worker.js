// @ts-check
// The API: a notebook behind @keybound/edge, on the Workers runtime. It takes tokens bound to a DPoP key (from the page)
// and tokens bound to a client certificate (from machines), and no others.

import { certificates, createResourceServer, memoryReplay } from "@keybound/edge";
import { env } from "cloudflare:workers";

const server = createResourceServer({
  issuer: env.ISSUER,
  audience: env.RESOURCE,
  publicUrl: [env.PUBLIC_ORIGIN, env.MTLS_ORIGIN],
  nonce: { secrets: [env.NONCE_SECRET], required: true },
  replay: memoryReplay(),
  certificates: [certificates.cloudflare()],
  cors: { origins: [env.PAGE_ORIGIN], methods: ["GET", "POST"] },
});

/** @type {{ author: string, text: string }[]} */
const notes = [
  { author: "grace", text: "A bearer token works for whoever holds it." },
  { author: "grace", text: "A bound token works for whoever holds its key." },
];

export default {
  /** @param {Request} request @param {unknown} _env @param {{ waitUntil(promise: Promise<unknown>): void }} context */
  async fetch(request, _env, context) {
    const preflight = server.preflight(request);
    if (preflight !== null) return preflight;

    const decision = await server.authenticate(request, { waitUntil: (promise) => context.waitUntil(promise) });
    if (!decision.ok) return refusal(decision);

    const scopes = String(decision.claims.scope ?? "").split(" ");
    const needed = request.method === "GET" ? "notes:read" : "notes:write";
    if (!scopes.includes(needed)) return decision.forbid(needed);
    return decision.finish(await answer(request, decision));
  },
};

/** @param {Request} request @param {import("@keybound/edge").Accepted} accepted */
async function answer(request, accepted) {
  const { pathname } = new URL(request.url);
  if (pathname !== "/notes") return Response.json({ error: "not_found" }, { status: 404 });
  if (request.method === "POST") {
    const text = String((await request.json()).text ?? "").trim().slice(0, 200);
    if (text === "") return Response.json({ error: "empty_note" }, { status: 400 });
    notes.push({ author: String(accepted.claims.sub), text });
    notes.splice(0, Math.max(0, notes.length - 20));
  }
  return Response.json({ reader: accepted.claims.sub, mechanisms: accepted.mechanisms, binding: accepted.binding, notes });
}

/**
 * The challenge of the standards, and for the demo's sake the reason in words. An API of yours keeps the reason in its log.
 * @param {import("@keybound/edge").Rejected} rejected
 */
function refusal(rejected) {
  const { status, headers } = rejected.response();
  const { error, reason, detail } = rejected;
  const explained = new Headers(headers);
  explained.set("content-type", "application/json");
  return new Response(JSON.stringify({ error, reason, detail }), { status, headers: explained });
}
