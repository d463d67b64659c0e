// What every proof is for, so that all libraries make the same one.

export const METHOD = "GET";
export const TARGET = "https://api.example/v1/items?page=2";
/** The target without its query (RFC 9449 §4.2), for libraries that leave cutting it off to their caller. */
export const HTU = "https://api.example/v1/items";
export const TOKEN = "a".repeat(600);
export const NONCE = "eyJ7S_zG.eyJH0-Z.HX4w-7v";

/** A server that answers at once, with a nonce as servers do, and keeps the last request's headers. */
export function stubServer() {
  const answer = new Response("", { headers: { "dpop-nonce": NONCE } });
  const stub = {
    headers: undefined,
    fetch: async (input, init) => {
      stub.headers = init?.headers ? new Headers(init.headers) : input.headers;
      return answer.clone();
    },
    proof: () => stub.headers.get("dpop"),
  };
  return stub;
}
