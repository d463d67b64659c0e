// Checks a DPoP proof with somebody else's code: panva's jose, not ours.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } from "jose";

/** RFC 9449 §4.2: everything a proof for this request must say. Resolves to its payload. */
export async function assertProof(proof, { method, url, accessToken, nonce, thumbprint, now = Date.now() / 1000 }) {
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: "dpop+jwt", currentDate: new Date(now * 1000) });
  const expectedUrl = new URL(url);
  expectedUrl.search = "";
  expectedUrl.hash = "";
  assert.equal(payload.htm, method);
  assert.equal(payload.htu, expectedUrl.href);
  assert.ok(Math.abs(payload.iat - now) < 60, `iat ${payload.iat} is not near ${now}`);
  assert.ok(typeof payload.jti === "string" && payload.jti.length >= 16, "jti has too little randomness");
  assert.equal(payload.nonce, nonce);
  assert.equal(payload.ath, accessToken && createHash("sha256").update(accessToken).digest("base64url"));
  assert.equal(protectedHeader.jwk.d, undefined, "the private key is in the proof");
  if (thumbprint !== undefined) assert.equal(await calculateJwkThumbprint(protectedHeader.jwk), thumbprint);
  return payload;
}
