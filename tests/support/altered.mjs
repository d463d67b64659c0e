// Tokens and proofs whose signature was changed after they were made.

/** The same JWS with what `change` makes of its signature's octets, in place or as a new list. */
export function resigned(jws, change) {
  const [header, payload, signature] = jws.split(".");
  const octets = Buffer.from(signature, "base64url");
  return [header, payload, Buffer.from(change(octets) ?? octets).toString("base64url")].join(".");
}

/** One bit of the signature is another. */
export const flipped = (jws) => resigned(jws, (octets) => { octets[octets.length - 3] ^= 1; });
