// What every file here needs: certificates, tokens that are bound to them, and the API.
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { createServer } from "node:http";
import { startOidcProvider } from "./authorization-server.mjs";
import { ASKING, NOT_ASKING, makePki } from "./pki.mjs";
import { startApi } from "./worker.mjs";

export const AUDIENCE = `https://${ASKING}`;
const now = () => Math.floor(Date.now() / 1000);

/**
 * Starts them. `tokens` has one for each client's certificate, issued by oidc-provider over mutual TLS, but for those whose
 * certificate it does not take: theirs are made here. `both` is bound to the certificate "good" and to a key, whose proofs
 * `prove(url)` makes. `door` is the worker's.
 */
export async function startParts({ door }) {
  const pki = await makePki();
  const stops = [];
  const stop = async () => {
    for (const step of stops.reverse()) await step();
  };
  try {
    const provider = await startOidcProvider({ pki, audience: AUDIENCE });
    stops.push(provider.close);
    const own = await startIssuer();
    stops.push(own.close);
    const issuers = [provider.issuer, own.issuer];
    const api = await startApi({ door, issuers, audience: AUDIENCE, publicUrls: [AUDIENCE, `https://${NOT_ASKING}`] });
    stops.push(api.stop);

    const tokens = {};
    for (const [name, identity] of Object.entries(pki.clients)) {
      const isKnown = name !== "expired" && name !== "self-signed";
      tokens[name] = isKnown ? await provider.tokenFor(identity) : await own.token({ now: now(), aud: AUDIENCE, cnf: { "x5t#S256": identity.x5t } });
    }
    const client = await makeClient();
    const both = await own.token({ now: now(), aud: AUDIENCE, cnf: { "x5t#S256": pki.clients.good.x5t, ...client.cnf } });
    const prove = (url) => client.proof({ token: both, url, now: now() });
    return { pki, api, tokens, both, prove, jkt: client.jkt, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Of tokens that oidc-provider does not make: it binds to one thing, and to certificates that it trusts. */
async function startIssuer() {
  let documents = {};
  const door = await listen(createServer(({ url }, answer) => answer.writeHead(url in documents ? 200 : 404).end(JSON.stringify(documents[url]))));
  const { jwks, token, issuer } = await makeIssuer({ issuer: door.origin });
  documents = { "/.well-known/oauth-authorization-server": { issuer, jwks_uri: `${issuer}/jwks` }, "/jwks": jwks };
  return { issuer, token, close: door.close };
}
