// @keybound/browser/oidc-client-ts: the DPoP keys of oidc-client-ts, from 3.2 on: one for all tabs, kept as every key of this package is.

import { KeyboundError } from "../errors.js";
import { DpopKey, generate } from "../key.js";
import { obtain, orRefused, transact } from "../store.js";

/** A key with the newest nonce of the authorization server, as oidc-client-ts has it. */
export interface DPoPState {
  readonly keys: CryptoKeyPair;
  nonce?: string | undefined;
}

/** What `dpop.store` of oidc-client-ts takes. Keys go by client id. */
export interface DPoPStore {
  /** The key of this client, made on first use: a sign-in in another tab finds the same one. */
  get(clientId: string): Promise<DPoPState>;
  /** Keeps the nonce; and the key, if there is none yet. `value.keys` is afterwards the key that is kept. */
  set(clientId: string, value: DPoPState): Promise<void>;
  /** Removes key and nonce; other tabs are told. oidc-client-ts does so when the user is removed. */
  remove(clientId: string): Promise<DPoPState>;
  getAllKeys(): Promise<string[]>;
  /**
   * The key that the client's tokens are bound to, for `createFetch`. Throws `key_lost` when there is none (it was removed,
   * or the browser cleared its storage, which may leave the token): then sign in again.
   */
  key(clientId: string): Promise<DpopKey>;
}

/** Names of keys begin so; beside each stands its nonce, under an array. */
const PREFIX = "oidc-client-ts ";
const nonceAt = (clientId: string): IDBValidKey => ["oidc-client-ts", clientId];

/** Keys that live in the page because IndexedDB refused them, with their nonces. */
const inMemory = new Map<string, string | undefined>();
/** Those that requests were signed with. */
const opened = new Map<string, DpopKey>();

/**
 * Where oidc-client-ts finds its key: `new UserManager({ dpop: { store: createDPoPStore(), bind_authorization_code: true } })`.
 * The private half cannot be exported (RFC 9449 §11.4), and tabs that sign in at once get one key.
 */
export function createDPoPStore(): DPoPStore {
  return { get, set, remove, getAllKeys, key };
}

async function get(clientId: string): Promise<DPoPState> {
  // ES256 is the one algorithm that oidc-client-ts signs with.
  const keys = await keep(clientId, () => generate("ES256"));
  return { keys, nonce: inMemory.get(clientId) ?? (await orRefused(transact("readonly", (all) => all.get(nonceAt(clientId))), () => undefined)) };
}

async function set(clientId: string, value: DPoPState): Promise<void> {
  if (value.keys.privateKey.extractable) throw new KeyboundError("extractable_key");
  // The library signs with `value.keys` next: another tab may have been first, and there is one key for all.
  Object.assign(value, { keys: await keep(clientId, async () => value.keys) });
  const { nonce } = value;
  if (nonce === undefined) return;
  if (inMemory.has(clientId)) inMemory.set(clientId, nonce);
  else await orRefused<unknown>(transact("readwrite", (all) => all.put(nonce, nonceAt(clientId))), () => undefined);
}

async function remove(clientId: string): Promise<DPoPState> {
  // Nothing if there is none, as of the library's own store, whatever its type says.
  if (!(await getAllKeys()).includes(clientId)) return undefined as unknown as DPoPState;
  const state = await get(clientId);
  await (await DpopKey.open(PREFIX + clientId)).delete();
  await orRefused<unknown>(transact("readwrite", (all) => all.delete(nonceAt(clientId))), () => undefined);
  inMemory.delete(clientId);
  opened.delete(clientId);
  return state;
}

async function getAllKeys(): Promise<string[]> {
  const names = await orRefused<IDBValidKey[]>(transact("readonly", (all) => all.getAllKeys(IDBKeyRange.bound(PREFIX, `${PREFIX}\uffff`))), () => []);
  return [...names.map((name) => String(name).slice(PREFIX.length)), ...inMemory.keys()];
}

async function key(clientId: string): Promise<DpopKey> {
  let found = opened.get(clientId);
  if (!found || found.lost) {
    if (!(await getAllKeys()).includes(clientId)) throw new KeyboundError("key_lost");
    opened.set(clientId, (found = await DpopKey.open(PREFIX + clientId)));
  }
  return found;
}

/** The pair that is kept for this client: the one that is there, else this. */
async function keep(clientId: string, make: () => Promise<CryptoKeyPair>): Promise<CryptoKeyPair> {
  const [pair, refused] = await obtain(PREFIX + clientId, make, undefined);
  if (refused && !inMemory.has(clientId)) inMemory.set(clientId, undefined);
  return pair;
}
