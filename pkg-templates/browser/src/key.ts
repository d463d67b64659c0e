// The key, and proofs made with it.

import { failure, KeyboundError } from "./errors.js";
import type { KeyboundEvent } from "./events.js";
import { init } from "./init.js";
import { desk, encoder, now, parsed, put, serverOf, taken, wasm } from "./module.js";
import { channelOf, forget, type KeyStore, obtain, type Tier } from "./store.js";

/** "Ed25519" and "EdDSA" are one key under two names (RFC 9864): some servers know only the older. */
export type SigningAlgorithm = "ES256" | "ES384" | "ES512" | "RS256" | "PS256" | "Ed25519" | "EdDSA";

/** How a key is opened. */
export interface KeyOptions {
  /** For a key that is made now. Default "ES256", which every server and browser knows. */
  algorithm?: SigningAlgorithm;
  /** Instead of IndexedDB. */
  storage?: KeyStore;
  /**
   * Of the key that a token is bound to. None is made then: where there is no key, or another one (the browser removed the site's
   * data, and left the token), it is `key_lost`.
   */
  thumbprint?: string | undefined;
  /** Told when IndexedDB refused the key, so that it lives in memory. */
  onEvent?: ((event: KeyboundEvent) => void) | undefined;
}

/** What one proof is for (RFC 9449 §4.2). */
export interface ProofRequest {
  /** As it goes on the wire: fetch upper-cases get, post, put, delete, head and options only. */
  method: string;
  /** Absolute https URL, or http on a loopback host; query, fragment and userinfo are left out of `htu`. Throws `invalid_url`. */
  url: string | URL;
  /** Adds `ath`, the hash of the token. For requests to a resource server, not to a token endpoint. */
  accessToken?: string;
  /** The newest nonce of that server (RFC 9449 §8, §9). */
  nonce?: string;
  /** Further claims; registered names are refused. */
  claims?: Record<string, unknown>;
}

const FAMILIES: Record<string, string> = { Ed: "Ed25519", ES: "ECDSA", RS: "RSASSA-PKCS1-v1_5", PS: "RSA-PSS" };

/** The parameters for making a key and for signing; SubtleCrypto takes of them what the algorithm needs. */
const parameters = (algorithm: string) => {
  const bits = algorithm.slice(2);
  return {
    name: FAMILIES[algorithm.slice(0, 2)] ?? "",
    namedCurve: `P-${bits === "512" ? "521" : bits}`,
    hash: `SHA-${bits}`,
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    saltLength: 32,
  };
};

/** A DPoP key pair whose private half cannot leave this browser (RFC 9449 §2, §11.4). */
export class DpopKey {
  /** What it was opened as; null for a pair made elsewhere. */
  readonly name: string | null;
  /** The `alg` of its proofs. */
  readonly algorithm: SigningAlgorithm;
  /** RFC 7638 SHA-256 thumbprint, base64url: the `dpop_jkt` of an authorization request (RFC 9449 §10). */
  readonly thumbprint: string;
  /** Required members only (RFC 7638 §3.2). */
  readonly publicJwk: Readonly<JsonWebKey>;
  /** `memory`: IndexedDB was refused (private mode), the key dies with the page. */
  readonly storage: Tier;
  /** For libraries that sign by themselves (oauth4webapi, openid-client, jose, dpop). */
  readonly pair: CryptoKeyPair;
  /** @internal The encoded header of its proofs (RFC 9449 §4.2). */
  readonly header: string;
  readonly #store: KeyStore | undefined;
  readonly #parameters: AlgorithmIdentifier;
  /** @internal It was deleted, here or in another tab. */
  lost = false;

  private constructor(
    name: string | null,
    algorithm: SigningAlgorithm,
    pair: CryptoKeyPair,
    jwk: string,
    thumbprint: string,
    storage: Tier,
    store?: KeyStore,
  ) {
    this.name = name;
    this.algorithm = algorithm;
    this.thumbprint = thumbprint;
    this.publicJwk = Object.freeze(JSON.parse(jwk) as JsonWebKey);
    this.storage = storage;
    this.pair = pair;
    this.header = base64url(encoder.encode(`{"typ":"dpop+jwt","alg":"${algorithm}","jwk":${jwk}}`));
    this.#store = store;
    this.#parameters = parameters(algorithm);
    if (name !== null) onDelete(this);
  }

  /** Opens the key called `name`, making it on first use. Concurrent calls, also from other tabs and workers, get one and the same key. */
  static async open(name = "default", { algorithm = "ES256", storage, thumbprint, onEvent }: KeyOptions = {}): Promise<DpopKey> {
    const lost = async (): Promise<never> => {
      throw new KeyboundError("key_lost");
    };
    const make = thumbprint === undefined ? () => generate(algorithm) : lost;
    const [[pair, refused]] = await Promise.all([obtain(name, make, storage, thumbprint), init()]);
    if (refused) onEvent?.({ type: "storage_memory", name, reason: refused.message, fix: "Let the browser store data of this site." });
    const key = await this.#of(name, pair, algorithm, refused ? "memory" : "persistent", storage);
    return key.thumbprint === (thumbprint ?? key.thumbprint) ? key : lost();
  }

  /**
   * Uses a pair made elsewhere. Throws `extractable_key` for an extractable private key. Nothing is stored.
   * `algorithm` matters for an Ed25519 key only, which has two names (RFC 9864).
   */
  static async from(pair: CryptoKeyPair, algorithm?: SigningAlgorithm): Promise<DpopKey> {
    await init();
    return this.#of(null, pair, algorithm, "memory");
  }

  static async #of(
    name: string | null,
    pair: CryptoKeyPair,
    wanted: SigningAlgorithm | undefined,
    tier: Tier,
    store?: KeyStore,
  ): Promise<DpopKey> {
    // RFC 9449 §11.4: a key that script can read is a key that injected script can take.
    if (pair.privateKey.extractable) throw new KeyboundError("extractable_key");
    let algorithm = algorithmOf(pair.privateKey);
    // RFC 9864 §2.2: one key, two names.
    if (algorithm === "Ed25519" && wanted === "EdDSA") algorithm = wanted;
    const { crv, e, kty, n, x, y } = await subtle()
      .exportKey("jwk", pair.publicKey)
      .catch((error: unknown) => {
        throw new KeyboundError("unsupported_algorithm", error);
      });
    // RFC 7638 §3: the required members (others are undefined, and left out), in lexicographic order.
    const jwk = JSON.stringify({ crv, e, kty, n, x, y });
    return new this(name, algorithm, pair, jwk, base64url(await hashOf(jwk)), tier, store);
  }

  /** One proof for one request (RFC 9449 §4.2). Use it once. */
  async proof({ method, url, accessToken, nonce, claims }: ProofRequest): Promise<string> {
    const target = parsed(url);
    const same = accessToken !== undefined && accessToken === proved;
    const hash = same || accessToken === undefined ? undefined : await tokenHash(accessToken);
    const wrong = wasm.input(desk, put([this.header, method, serverOf(target), target.pathname, same ? undefined : accessToken, nonce, ...membersOf(claims)], hash), same, now());
    // After a failure it is not known which one the module has.
    proved = wrong ? undefined : accessToken;
    if (wrong) throw failure(wrong);
    return this.sign(taken());
  }

  /** Removes the key from storage; other tabs are told. Tokens bound to it are of no use any more. */
  async delete(): Promise<void> {
    if (this.name === null) return;
    await forget(this.name, this.#store);
    tell(this.name, this.thumbprint);
  }

  /** @internal The proof whose signing input this is; it is looked at before anything else runs. */
  async sign(input: Uint8Array<ArrayBuffer>): Promise<string> {
    if (this.lost) throw new KeyboundError("key_lost");
    const signature = subtle().sign(this.#parameters, this.pair.privateKey, input);
    // While that is made elsewhere.
    const text = decoder.decode(input);
    return `${text}.${base64url(new Uint8Array(await signature))}`;
  }
}

const decoder = /* @__PURE__ */ new TextDecoder();

function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!found) throw new KeyboundError("insecure_context");
  return found;
}

async function hashOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await subtle().digest("SHA-256", encoder.encode(text)));
}

/** The token of the last proof, whose hash the module keeps. */
let proved: string | undefined;

let lastToken: string | undefined;
let lastHash: Promise<Uint8Array>;

/** The hash of an access token: one serves many requests. */
export function tokenHash(token: string): Promise<Uint8Array> {
  if (token !== lastToken) lastHash = hashOf((lastToken = token));
  return lastHash;
}

/** A new pair that cannot be exported; `unsupported_algorithm` where the browser cannot. */
export async function generate(algorithm: SigningAlgorithm): Promise<CryptoKeyPair> {
  const crypto = subtle();
  try {
    return (await crypto.generateKey(parameters(algorithm), false, ["sign", "verify"])) as CryptoKeyPair;
  } catch (error) {
    throw new KeyboundError("unsupported_algorithm", error);
  }
}

function algorithmOf(key: CryptoKey): SigningAlgorithm {
  const { name, namedCurve, hash, modulusLength } = key.algorithm as Partial<RsaHashedKeyAlgorithm & EcKeyAlgorithm>;
  const names: readonly SigningAlgorithm[] = ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519"];
  const found = names.find((candidate) => {
    const wanted = parameters(candidate);
    return wanted.name === name && (!namedCurve || wanted.namedCurve === namedCurve) && (!hash || wanted.hash === hash.name);
  });
  // RFC 7518 §3.3, and what servers may be expected to check.
  const length = modulusLength ?? 2048;
  if (!found || key.type !== "private" || length < 2048 || length > 8192) throw new KeyboundError("unsupported_algorithm");
  return found;
}

/** Further claims as JSON members, each after a comma, and their names. What has no JSON value is left out, as JSON.stringify does. */
function membersOf(claims: Record<string, unknown> | undefined): string[] {
  if (!claims) return [];
  const names: string[] = [];
  let members = "";
  try {
    for (const [name, value] of Object.entries(claims)) {
      const json = JSON.stringify(value) as string | undefined;
      if (json) {
        members += `,${JSON.stringify(name)}:${json}`;
        names.push(name);
      }
    }
  } catch (error) {
    throw new KeyboundError("invalid_claim", error);
  }
  return [members, ...names];
}

/** What newer engines do by themselves, ten times as fast. */
interface Encodable {
  toBase64?(options: { alphabet: "base64url"; omitPadding: true }): string;
}

function base64url(octets: Uint8Array & Encodable): string {
  return (
    octets.toBase64?.({ alphabet: "base64url", omitPadding: true }) ??
    btoa(String.fromCharCode(...octets))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "")
  );
}

/** Keys that are open here, to be told when another tab deletes them. */
const open = new Set<WeakRef<DpopKey>>();
let channel: BroadcastChannel | undefined;

interface Deletion {
  name: string;
  thumbprint: string;
}

function onDelete(key: DpopKey): void {
  for (const reference of open) if (!reference.deref()) open.delete(reference);
  open.add(new WeakRef(key));
  if (key.storage === "persistent") tabs();
}

function tabs(): BroadcastChannel | undefined {
  channel ??= channelOf("keybound");
  if (channel) channel.onmessage = ({ data }: MessageEvent<Deletion>) => lose(data);
  return channel;
}

/** @internal The key is gone from storage: here and in other tabs nothing is signed with it any more. */
export function tell(name: string, thumbprint: string): void {
  lose({ name, thumbprint });
  tabs()?.postMessage({ name, thumbprint } satisfies Deletion);
}

function lose({ name, thumbprint }: Deletion): void {
  for (const reference of open) {
    const key = reference.deref();
    if (key?.name === name && key.thumbprint === thumbprint) key.lost = true;
  }
}
