// The same worker with Hono.
import { env } from "cloudflare:workers";
import { createResourceServer, createTokenEndpoint, jwtTokens } from "@keybound/edge";
import { keybound, keyboundToken } from "@keybound/edge/hono";
import { Hono } from "hono";
import { streamText } from "hono/streaming";

const common = { cors: { origins: [env.PAGE], maxAge: 0 }, nonce: { secrets: [env.SECRET] } };
const api = createResourceServer({ issuer: env.ISSUER, audience: env.AUDIENCE, tokens: jwtTokens({ jwks: env.JWKS }), ...common });
const endpoint = createTokenEndpoint(common);

const app = new Hono();
app.use("/token", keyboundToken(endpoint));
app.post("/token", async (c) => {
  const binding = await c.get("bind")({ clientType: "public" });
  if (!binding.ok) return binding.response();
  return c.json({ access_token: "t", token_type: binding.tokenType, cnf: binding.cnf });
});
app.use("/orders/*", keybound(api));
app.on(["GET", "POST"], "/orders", async (c) => c.json({ sub: c.get("keybound").claims.sub, body: await c.req.text() }));
app.delete("/orders", keybound(api, { scope: "admin" }), (c) => c.body(null, 204));
app.get("/orders/throws", () => {
  throw new Error("no");
});
app.get("/orders/stream", (c) =>
  streamText(c, async (stream) => {
    for (const part of ["a", "b", "c"]) await stream.write(part);
  }),
);
app.get("/orders/fetched", () => fetch(env.UPSTREAM));
app.get("/orders/socket", () => {
  const [mine, theirs] = Object.values(new WebSocketPair());
  theirs.accept();
  theirs.addEventListener("message", ({ data }) => theirs.send(`echo ${data}`));
  return new Response(null, { status: 101, webSocket: mine });
});

export default app;
