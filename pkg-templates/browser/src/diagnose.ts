// What this browser and these servers can do, in words a person can act on.

import { EXPOSE } from "./errors.js";
import { createFetch } from "./fetch.js";
import { init } from "./init.js";
import { DpopKey, type SigningAlgorithm } from "./key.js";
import { keepNonces } from "./nonces.js";

/** One thing that was looked at. */
export interface DiagnosisCheck {
  name: string;
  ok: boolean;
  /** What was seen. */
  detail: string;
  /** What to change, and where. */
  fix?: string;
}

/** What was found. */
export interface Diagnosis {
  ok: boolean;
  checks: DiagnosisCheck[];
}

type Finding = Omit<DiagnosisCheck, "name">;

const ALGORITHMS: readonly SigningAlgorithm[] = ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519"];

/** A token that no server takes, to see how one is refused. */
const NO_TOKEN = "keybound-diagnosis";

/** What this browser and these servers can do, in words a person can act on. Makes requests to `resource` and `issuer`, with a token that is none. */
export async function diagnose(options: { key?: DpopKey; resource?: string | URL; issuer?: string | URL } = {}): Promise<Diagnosis> {
  const checks: DiagnosisCheck[] = [];
  const check = async (name: string, look: () => Finding | Promise<Finding>): Promise<void> => {
    try {
      checks.push({ name, ...(await look()) });
    } catch (error) {
      checks.push({ name, ok: false, detail: String(error) });
    }
  };

  await check("secure context", secureContext);
  await check("WebAssembly", webAssembly);
  await check("algorithms", () => algorithms());
  await check("key storage", keyStorage);
  await check("Web Locks", webLocks);
  const { resource, issuer } = options;
  if (resource !== undefined) await diagnoseResource(check, new URL(resource), options.key);
  if (issuer !== undefined) await check("authorization server", () => authorizationServer(new URL(issuer), options.key));
  return { ok: checks.every(({ ok }) => ok), checks };
}

type Check = (name: string, look: () => Finding | Promise<Finding>) => Promise<void>;

function secureContext(): Finding {
  const ok = globalThis.crypto?.subtle !== undefined;
  return ok
    ? { ok, detail: "crypto.subtle is there" }
    : { ok, detail: "there is no crypto.subtle", fix: "Serve the page over https, or from http://localhost." };
}

async function webAssembly(): Promise<Finding> {
  try {
    await init();
    return { ok: true, detail: "the module is loaded" };
  } catch (error) {
    return {
      ok: false,
      detail: String(error),
      fix: "Content-Security-Policy: script-src 'self' 'wasm-unsafe-eval'; and serve keybound_browser_bg.wasm, or import from @keybound/browser/inline.",
    };
  }
}

async function algorithms(): Promise<Finding> {
  const known = await supported();
  return {
    ok: known.includes("ES256"),
    detail: known.join(", ") || "none",
    ...(known.includes("ES256") ? {} : { fix: "Use a browser with WebCrypto." }),
  };
}

/** Made, not asked for: that a name is known says nothing. */
async function supported(): Promise<SigningAlgorithm[]> {
  const made = await Promise.all(
    ALGORITHMS.map((algorithm) => {
      // Only in memory: nothing is left behind.
      const pairs = new Map<string, CryptoKeyPair>();
      const storage = {
        get: async (name: string) => pairs.get(name),
        add: async (name: string, pair: CryptoKeyPair) => (pairs.set(name, pair), pair),
        delete: async () => {},
      };
      return DpopKey.open(algorithm, { algorithm, storage }).then(
        () => algorithm,
        () => undefined,
      );
    }),
  );
  return made.filter((algorithm) => algorithm !== undefined);
}

async function keyStorage(): Promise<Finding> {
  const name = `keybound diagnosis ${crypto.randomUUID()}`;
  const key = await DpopKey.open(name);
  const again = await DpopKey.open(name);
  await key.delete();
  if (key.storage === "persistent" && key.thumbprint === again.thumbprint) {
    return { ok: true, detail: "IndexedDB keeps a key that cannot be exported" };
  }
  return {
    ok: false,
    detail: "IndexedDB keeps no keys here (a private window, or storage is blocked): a key lives as long as the page",
    fix: "Allow the site to store data; people who do not will have to log in after each reload.",
  };
}

async function webLocks(): Promise<Finding> {
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (!locks) return { ok: true, detail: "none; keys are still made once, only slower" };
  await locks.request("keybound diagnosis", () => {});
  return { ok: true, detail: "there" };
}

/** Asks with a token that is none: the refusal shows all that a page needs to read. */
async function diagnoseResource(check: Check, url: URL, given: DpopKey | undefined): Promise<void> {
  const seen: { response?: Response; nonces: number; skew: number } = { nonces: 0, skew: 0 };
  const nonces = keepNonces();
  let outcome: unknown;
  await check("resource server answers", async () => {
    const key = given ?? (await DpopKey.open(`keybound diagnosis ${crypto.randomUUID()}`));
    const call = createFetch({
      key,
      token: NO_TOKEN,
      origins: [url],
      nonces,
      fetch: async (...request) => (seen.response = await fetch(...request)),
      onEvent: (event) => {
        if (event.type === "retry") seen.nonces++;
        if (event.type === "clock_skew") seen.skew = event.seconds;
      },
    });
    outcome = await call(url).catch((error: unknown) => error);
    if (!given) await key.delete();
    if (seen.response) return { ok: true, detail: `status ${seen.response.status}` };
    return {
      ok: false,
      detail: String(outcome),
      fix: "The server is down, or its preflight does not allow it: answer OPTIONS with Access-Control-Allow-Origin: (this page), Access-Control-Allow-Headers: Authorization, DPoP, and Access-Control-Allow-Methods.",
    };
  });
  const { response } = seen;
  if (!response) return;
  await check("CORS shows the challenge", () => {
    const hidden = response.type === "cors" && response.headers.get("www-authenticate") === null;
    return hidden
      ? { ok: false, detail: "WWW-Authenticate is hidden from this page", fix: EXPOSE }
      : { ok: true, detail: response.type === "cors" ? "WWW-Authenticate is exposed" : "same origin" };
  });
  await check("nonces", async () => {
    if (seen.nonces > 0) return { ok: true, detail: "the server asks for a nonce, and took the one it gave" };
    const nonce = await nonces.get("rs", url.origin);
    if (nonce !== undefined) return { ok: true, detail: "the server gives nonces" };
    const wanted = /use_dpop_nonce/.test(response.headers.get("www-authenticate") ?? "");
    return wanted ? { ok: false, detail: String(outcome), fix: EXPOSE } : { ok: true, detail: "the server asks for none" };
  });
  await check("clock", () => clock(response, seen.skew));
}

function clock(response: Response, skew: number): Finding {
  const date = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(date)) {
    return { ok: true, detail: "not visible: the server would have to expose Date (Access-Control-Expose-Headers: Date)" };
  }
  const seconds = skew || Math.round((date - Date.now()) / 1000);
  return Math.abs(seconds) < 30
    ? { ok: true, detail: `within ${Math.abs(seconds)} s of the server's` }
    : { ok: false, detail: `the server's is ${seconds} s ahead`, fix: "Set the clock of this machine (or of the server)." };
}

async function authorizationServer(issuer: URL, key: DpopKey | undefined): Promise<Finding> {
  const path = issuer.pathname.replace(/\/$/, "");
  // RFC 8414 §3.1, and OpenID Connect Discovery §4, which appends.
  const places = [`/.well-known/oauth-authorization-server${path}`, `${path}/.well-known/openid-configuration`];
  let problem = "";
  for (const place of places) {
    const response = await fetch(new URL(place, issuer), { redirect: "error" }).catch((error: unknown) => void (problem = String(error)));
    if (!response?.ok) continue;
    const metadata = (await response.json()) as { dpop_signing_alg_values_supported?: string[] };
    const offered = metadata.dpop_signing_alg_values_supported;
    if (!offered) return { ok: false, detail: "its metadata says nothing of DPoP", fix: "Switch DPoP on at the authorization server (dpop_signing_alg_values_supported)." };
    const wanted = key ? [key.algorithm] : await supported();
    const common = wanted.filter((algorithm) => offered.includes(algorithm) || (algorithm === "Ed25519" && offered.includes("EdDSA")));
    return common.length > 0
      ? { ok: true, detail: `both know ${common.join(", ")}` }
      : { ok: false, detail: `it takes ${offered.join(", ")}; here there is ${wanted.join(", ")}`, fix: "Open the key with an algorithm that the server takes." };
  }
  return {
    ok: false,
    detail: `no metadata at ${issuer.origin} ${problem}`,
    fix: "Give the issuer's exact URL, and let its metadata be read from this page (Access-Control-Allow-Origin).",
  };
}
