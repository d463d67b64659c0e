// What an app with Hono can say, and what its compiler must refuse. Compiled, never run.
import { createResourceServer, createTokenEndpoint, type Accepted, type Binding, type Rejected } from "@keybound/edge";
import { accepted, keybound, keyboundToken, type KeyboundEnv } from "@keybound/edge/hono";
import { Hono, type Context } from "hono";
import { createMiddleware } from "hono/factory";

const api = createResourceServer({ issuer: "https://as.example", audience: "https://api.example" });

const app = new Hono<KeyboundEnv>();
app.use(keybound(api));
app.get("/typed", (c) => {
  const own: Accepted = c.get("keybound");
  const subject: unknown = own.claims["sub"];
  const same: Accepted = c.var.keybound;
  return subject === same ? c.get("keybound").forbid("admin") : c.json(own.claims);
});
app.get("/misused", (c) => {
  // @ts-expect-error: claims are of any kind
  const subject: string = c.get("keybound").claims["sub"];
  // @ts-expect-error: there is no such variable
  c.get("keybounds");
  // @ts-expect-error: a scope is text
  c.get("keybound").forbid(5);
  return c.text(subject);
});

// On one route, without a type for the app.
new Hono().get("/", keybound(api, { scope: "orders:read" }), (c) => c.json(c.get("keybound").claims));
// @ts-expect-error: without the middleware there is nothing
new Hono().get("/", (c) => c.json(c.get("keybound").claims));
// @ts-expect-error: scopes are one text
keybound(api, { scope: ["a", "b"] });
// @ts-expect-error: a token endpoint lets nobody in
keybound(createTokenEndpoint({}));

// Beside bindings and variables of one's own, and in handlers elsewhere.
type Env = KeyboundEnv & { Bindings: { DB: string }; Variables: { user: string } };
const elsewhere = (c: Context<Env>): Response => c.json({ claims: accepted(c).claims, db: c.env.DB, user: c.get("user") });
const user = createMiddleware<Env>(async (c, next) => {
  c.set("user", String(c.get("keybound").claims["sub"]));
  await next();
});
new Hono<Env>().use(keybound(api, { context: (c) => ({ explain: c.req.query("why") === "1" }) }), user).get("/", elsewhere);

new Hono().post("/token", keyboundToken(createTokenEndpoint({})), async (c) => {
  const binding: Binding | Rejected = await c.get("bind")({ clientType: "public", dpopJkt: "jkt" });
  // @ts-expect-error: what a refusal has not
  binding.cnf;
  // @ts-expect-error: there is no such type of client
  await c.get("bind")({ clientType: "secret" });
  return binding.ok ? c.json({ token_type: binding.tokenType, cnf: binding.cnf }) : binding.response();
});
