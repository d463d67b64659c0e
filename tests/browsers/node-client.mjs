// What tests of createFetch in Node share.

/** Nonces of one client alone. */
export function keepsInMemory() {
  const held = new Map();
  return { get: (role, origin) => held.get(`${role} ${origin}`), set: (role, origin, nonce) => void held.set(`${role} ${origin}`, nonce) };
}

/** Status and text of an answer, or the code of an error. */
export const outcome = (promise) =>
  promise.then(async (response) => [response.status, await response.text()]).catch((error) => (typeof error.code === "string" ? error.code : String(error)));
