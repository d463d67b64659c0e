// In the page: how long a library takes from its octets, already here, to its first proof.

const WASM = "/wasm/keybound_browser_bg.wasm";
const octetsOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());

/** A module that no cache of compiled code knows: with a section of random octets, which means nothing (WebAssembly Core §5.5.3). */
function unlike(module) {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return new Uint8Array([...module, 0, random.length + 2, 1, 0x72, ...random]);
}

/** The proof, and the milliseconds until it was there. `way` is a function of a file in sign-clients. */
globalThis.firstProof = async ({ library, way, name, token, nonce }) => {
  const [script, module] = await Promise.all([octetsOf(`/first/${library}.js`), octetsOf(WASM)]);
  const text = new TextDecoder().decode(script);
  const address = URL.createObjectURL(new Blob([text, `\n// ${Math.random()}`], { type: "text/javascript" }));
  const octets = unlike(module);
  // What the download left to do is over.
  await new Promise((resolve) => setTimeout(resolve, 30));
  const began = performance.now();
  const client = await import(address);
  client.load?.(octets);
  const proof = await (await client[way](name)).proof(token, nonce);
  const milliseconds = performance.now() - began;
  URL.revokeObjectURL(address);
  return { milliseconds, proof: typeof proof === "string" ? proof : null };
};
globalThis.ready = true;
