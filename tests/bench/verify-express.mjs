// express-oauth2-jwt-bearer as a kind of work: its middleware itself, on what it reads of an Express request.
import { createServer } from "node:http";
import { auth } from "express-oauth2-jwt-bearer";
import { AUDIENCE, ISSUER, RESOURCE } from "./verify-material.mjs";

const { host, pathname } = new URL(RESOURCE);

/** `{ work, close }`: the key set comes from a server of its own, once, since the middleware takes only an address. */
export async function makeExpressWork({ jwks, warm, tokenAlg }) {
  const server = createServer((request, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(jwks)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const middleware = auth({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwksUri: `http://127.0.0.1:${server.address().port}/jwks`,
    tokenSigningAlg: tokenAlg,
    strict: true,
    dpop: { enabled: true, required: true },
  });
  const work = async (from, to) => {
    for (let index = from; index < to; index += 1) {
      const [token, proof] = warm[index];
      const headers = { host, authorization: `DPoP ${token}`, dpop: proof };
      const request = { headers, method: "GET", protocol: "https", originalUrl: pathname, query: {}, get: (name) => headers[name.toLowerCase()], is: () => false };
      let problem;
      await middleware(request, {}, (error) => (problem = error));
      if (problem !== undefined) throw problem;
    }
  };
  return { work, close: () => new Promise((resolve) => server.close(resolve)) };
}
