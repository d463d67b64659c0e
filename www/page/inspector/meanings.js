// @ts-check
// What each member of a proof or an access token is for, and where that is written; in the order in which a person reads them.

/**
 * @typedef {{ rfc: number, section: string }} Where
 * @typedef {{ is: string, where: Where }} Meaning
 * @typedef {Record<string, Meaning>} Meanings
 */

/** @param {string} is @param {number} rfc @param {string} section @returns {Meaning} */
const meaning = (is, rfc, section) => ({ is, where: { rfc, section } });

/** @type {{ header: Meanings, payload: Meanings }} */
export const PROOF = {
  header: {
    typ: meaning("Says that this is a proof, so that no other kind of token can pass for one.", 9449, "4.2"),
    alg: meaning("How it is signed. Always with a private key: \"none\" and shared secrets are forbidden.", 9449, "4.2"),
    jwk: meaning("The public key that the signature verifies with. Its thumbprint is what tokens are bound to.", 9449, "4.2"),
  },
  payload: {
    htm: meaning("The method of the request. The proof is good for no other.", 9449, "4.2"),
    htu: meaning("The address of the request, without query and fragment. The proof is good for no other.", 9449, "4.2"),
    ath: meaning("The hash of the access token that goes with it, so it cannot be used along with another.", 9449, "4.2"),
    nonce: meaning("A value that the server gave out a moment ago: proofs cannot be made in advance.", 9449, "8"),
    jti: meaning("A random name for this one proof. A server that sees it twice refuses the second.", 9449, "11.1"),
    iat: meaning("When it was made. It is accepted for minutes only.", 9449, "4.3"),
    exp: meaning("After this time the proof is no longer good. Not needed: servers limit its age anyway.", 7519, "4.1.4"),
    nbf: meaning("Before this time the proof is not good yet.", 7519, "4.1.5"),
  },
};

/** @type {{ header: Meanings, payload: Meanings }} */
export const ACCESS_TOKEN = {
  header: {
    typ: meaning("Says that this is an access token.", 9068, "2.1"),
    alg: meaning("How the authorization server signed it.", 7515, "4.1.1"),
    kid: meaning("Which of the authorization server's keys signed it.", 7515, "4.1.4"),
  },
  payload: {
    cnf: meaning("The confirmation: whose key the caller must prove to have.", 9449, "6.1"),
    iss: meaning("Who issued it.", 9068, "2.2"),
    sub: meaning("Whom it stands for.", 9068, "2.2"),
    aud: meaning("The API that it is for. Others refuse it.", 9068, "2.2"),
    scope: meaning("What it allows.", 9068, "2.2.3"),
    client_id: meaning("The client that asked for it.", 9068, "2.2"),
    iat: meaning("When it was issued.", 9068, "2.2"),
    exp: meaning("When it ends.", 9068, "2.2"),
    jti: meaning("Its name.", 9068, "2.2"),
  },
};

/** @type {Meanings} */
export const PUBLIC_KEY = {
  kty: meaning("The kind of key: EC, on an elliptic curve.", 7518, "6.1"),
  crv: meaning("The curve.", 7518, "6.2.1.1"),
  x: meaning("The public point's first coordinate, at full length.", 7518, "6.2.1.2"),
  y: meaning("And its second.", 7518, "6.2.1.3"),
};
