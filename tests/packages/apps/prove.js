// What every page and worker of these tests does: open a key, make a proof, say what came out.
export async function prove({ DpopKey }, request) {
  const key = await DpopKey.open("orders");
  const again = await DpopKey.open("orders");
  return {
    proof: await key.proof(request),
    thumbprint: key.thumbprint,
    sameKeyAgain: again.thumbprint === key.thumbprint,
    storage: key.storage,
    extractable: key.pair.privateKey.extractable,
  };
}

/** The same, and the other package's opinion of that proof. */
export async function proveAndVerify(keybound, verifyProof, request) {
  const outcome = await prove(keybound, request);
  const { ok, jkt, reason } = await verifyProof(outcome.proof, request);
  return { ...outcome, verdict: { ok, jkt, reason } };
}

/** The same, and the address of a login with a session's key; nobody is asked for anything. */
export async function proveAndLogIn(keybound, createSession, request) {
  const issuer = "https://as.example";
  const metadata = { issuer, authorization_endpoint: `${issuer}/authorize` };
  const session = createSession({ issuer, metadata, clientId: "page", redirectUri: location.href, origins: ["https://api.example"] });
  const login = await session.loginUrl();
  return { ...(await prove(keybound, request)), loginKey: login.searchParams.get("dpop_jkt"), current: await session.current() };
}

/** Sets what the test waits for, also when it fails. */
export async function report(work) {
  try {
    globalThis.outcome = await work();
  } catch (error) {
    globalThis.outcome = { error: `${error?.code ?? error?.name}: ${error?.stack ?? error}` };
  }
}

export const REQUEST = { method: "POST", url: "https://api.example/orders/7?full=1#top", accessToken: "header.claims.signature", nonce: "n-1" };
