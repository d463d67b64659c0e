// Prepared requests for served.lua: a file of lines, each with a token and a proof of its own.
import { createHash, KeyObject, randomUUID, sign } from "node:crypto";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { AUDIENCE, inBatches, makeClient, makeIssuer, makeToken } from "./verify-material.mjs";

export const HOST = "api.example";
const TARGET = `https://${HOST}/orders`;
/** wrk speaks HTTP without TLS: a field says that clients speak it with TLS, as behind a front that ends it. */
export const HTTPS = { socketOptions: 'forwardedProtoHeader = "x-forwarded-proto"', headers: { "x-forwarded-proto": "https" } };

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** An issuer, and so many clients with a token each. `bindings` are for the workers. */
export async function makePopulation(clients) {
  const issuer = await makeIssuer("ES256");
  const made = await inBatches(Array.from({ length: clients }, (_, index) => index), async () => {
    const client = await makeClient();
    const token = await makeToken(issuer, client);
    return {
      token,
      key: KeyObject.from(client.privateKey),
      header: encode({ alg: "ES256", typ: "dpop+jwt", jwk: client.jwk }),
      ath: createHash("sha256").update(token).digest("base64url"),
    };
  });
  return { clients: made, bindings: { jwks: issuer.jwks, audience: AUDIENCE } };
}

/** A proof made now. */
export function proofOf({ key, header, ath }) {
  const claims = { jti: randomUUID(), htm: "GET", htu: TARGET, iat: Math.floor(Date.now() / 1000), ath };
  const input = `${header}.${encode(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** Writes `count` requests of the clients, in turn. */
export async function writeRequests(file, { clients }, count) {
  const stream = createWriteStream(file);
  for (let from = 0; from < count; from += 1000) {
    const lines = [];
    for (let index = from; index < Math.min(count, from + 1000); index += 1) {
      const client = clients[index % clients.length];
      lines.push(`${client.token} ${proofOf(client)}\n`);
    }
    if (!stream.write(lines.join(""))) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "finish");
}
