// An issuer of access tokens whose keys are found over HTTP, for resource servers of others.
import { openDoor } from "../authorization-server/door.mjs";
import { makeIssuer } from "../edge/support.mjs";

/** Starts it: `token(jkt)` makes a token that is bound to the key; `issuer` and `jwksUri` are for the servers' options. */
export async function startIssuer() {
  const door = await openDoor();
  const { jwks, token } = await makeIssuer({ issuer: door.origin });
  door.serve(() => Response.json(jwks));
  return {
    issuer: door.origin,
    jwks,
    jwksUri: `${door.origin}/jwks`,
    close: door.close,
    token: (jkt, claims) => token({ now: Math.floor(Date.now() / 1000), cnf: jkt && { jkt }, ...claims }),
  };
}
