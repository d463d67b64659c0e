// Answers of the kinds that only this runtime has, each through finish().
import { env } from "cloudflare:workers";
import { createResourceServer, jwtTokens } from "./edge/workerd.js";

const api = createResourceServer({
  issuer: env.ISSUER,
  audience: "https://api.example",
  tokens: jwtTokens({ jwks: env.JWKS }),
  publicUrl: "https://api.example",
  cors: { origins: ["https://app.example"] },
});

const ANSWERS = {
  "/compressed": () =>
    new Response(new Blob(["hello hello hello"]).stream().pipeThrough(new CompressionStream("gzip")), {
      headers: { "content-encoding": "gzip" },
      encodeBody: "manual",
    }),
  "/socket"() {
    const [mine, theirs] = Object.values(new WebSocketPair());
    theirs.accept();
    theirs.addEventListener("message", ({ data }) => theirs.send(`echo ${data}`));
    return new Response(null, { status: 101, webSocket: mine });
  },
  "/fetched": () => fetch(env.UPSTREAM),
  "/empty": () => new Response(null, { status: 204 }),
};

export default {
  async fetch(request) {
    const decision = await api.authenticate(request);
    if (!decision.ok) return decision.response();
    return decision.finish(await ANSWERS[new URL(request.url).pathname]());
  },
};
