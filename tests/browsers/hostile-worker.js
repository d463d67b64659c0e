// A worker of workerd that makes the requests it is told to: `{ url, init, origins }`.
import { createFetch, DpopKey } from "./browser/workerd.js";

let send;
async function make(origins) {
  const held = new Map();
  const nonces = { get: (role, origin) => held.get(`${role} ${origin}`), set: (role, origin, nonce) => void held.set(`${role} ${origin}`, nonce) };
  return createFetch({ key: await DpopKey.open("hostile"), token: "token-1", origins, nonces });
}

export default {
  async fetch(request) {
    const { url, init, origins } = await request.json();
    send ??= await make(origins);
    try {
      const response = await send(url, init);
      return Response.json([response.status, await response.text()]);
    } catch (error) {
      return Response.json(typeof error.code === "string" ? error.code : String(error));
    }
  },
};
