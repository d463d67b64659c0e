// @ts-check
// A fetch that writes down what goes over the wire: the page's evidence, and the thief's loot.

/**
 * @typedef {object} Exchange
 * @property {string} method
 * @property {string} url
 * @property {string | null} authorization
 * @property {string | null} proof The DPoP field.
 * @property {number} status
 * @property {string | null} challenge The WWW-Authenticate field.
 * @property {string | null} nonce The DPoP-Nonce field.
 * @property {any} body JSON, or null.
 */

/**
 * @param {(exchange: Exchange) => void} onExchange
 * @returns {typeof fetch}
 */
export function recordingFetch(onExchange) {
  return async (input, init) => {
    const request = new Request(input, init);
    const response = await fetch(request);
    onExchange(await describe(request, response.clone()));
    return response;
  };
}

/**
 * @param {Request} request
 * @param {Response} response
 * @returns {Promise<Exchange>}
 */
export async function describe(request, response) {
  return {
    method: request.method,
    url: request.url,
    authorization: request.headers.get("authorization"),
    proof: request.headers.get("dpop"),
    status: response.status,
    challenge: response.headers.get("www-authenticate"),
    nonce: response.headers.get("dpop-nonce"),
    body: await response.json().catch(() => null),
  };
}
