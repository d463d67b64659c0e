// An issuer as its verifiers meet it over HTTP: metadata and keys behind an injected fetch, which can be made to fail.
import { edge, makeWorld } from "./support.mjs";

export const JWKS_URI = "https://as.example/jwks";

/**
 * A fetch that serves `routes`: URL -> JSON value, text, Response, or a function that gives one of them. `calls` lists what was
 * asked for; `options` the options of each call.
 */
export function fakeFetch(routes) {
  const calls = [];
  const options = [];
  const send = async (input, init) => {
    const url = String(input);
    calls.push(url);
    options.push(init);
    let answer = routes[url];
    if (typeof answer === "function") answer = await answer(init);
    if (answer === undefined) return new Response("not found", { status: 404 });
    if (answer instanceof Response) return answer.clone();
    return typeof answer === "string" ? new Response(answer) : Response.json(answer);
  };
  return { send, calls, options, countOf: (url) => calls.filter((called) => called === url).length };
}

/** A world whose server fetches the issuer's keys from `JWKS_URI`; `published.keys` is what stands there. */
export async function worldWithJwksUri(options = {}) {
  const published = {};
  const fake = fakeFetch({ [JWKS_URI]: (init) => (published.answer ? published.answer(init) : { keys: published.keys }) });
  const world = await makeWorld({ tokens: edge.jwtTokens({ jwks: new URL(JWKS_URI), fetch: fake.send }), ...options });
  published.keys = [world.issuer.jwk];
  const fetches = () => fake.calls.length;
  return { ...world, published, fetches, fake };
}
