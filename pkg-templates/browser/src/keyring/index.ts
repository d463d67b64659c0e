// @keybound/browser/keyring: a key for each login, found again by the thumbprint that its tokens are bound to.

import { KeyboundError } from "../errors.js";
import type { BoundToken } from "../fetch.js";
import { DpopKey, generate, type KeyOptions, tell } from "../key.js";
import { obtain, orRefused } from "../store.js";
import { ABANDONED_AFTER, sweep } from "../sweep.js";

/** Which keys belong together, and how new ones are made. */
export interface KeyringOptions extends Pick<KeyOptions, "algorithm" | "onEvent"> {
  /** Tells keyrings of one origin apart. */
  name?: string;
}

/** A token, or what is known of one: the thumbprint of the key it is bound to. */
export type KeyOf = Pick<BoundToken, "thumbprint">;

/** Which keys are of no use any more. */
export interface SweepOptions {
  /** Tokens that somebody may still use: their keys stay, however old. */
  keep: Iterable<KeyOf>;
  /** Seconds. Default a day: a key of a login that is under way is younger. */
  olderThan?: number;
}

/** The keys of an application's logins, the same in every tab and worker. */
export interface Keyring {
  /** A new key for a new login: its `thumbprint` is the `dpop_jkt` of the request (RFC 9449 §10). Those before go on serving their tokens. */
  create(): Promise<DpopKey>;
  /**
   * The key of a token, for `createFetch({ key: keyring.keyOf })`. Keep `key.thumbprint` with the token. Throws `key_lost` when there
   * is none: it was deleted or swept, or the browser removed the site's data and left the token. Then log in again.
   */
  keyOf(token: KeyOf): Promise<DpopKey>;
  /** Deletes the key of a token that is spent, if it is there; other tabs and workers are told. */
  delete(token: KeyOf): Promise<void>;
  /** Deletes keys of logins that nobody finished, or whose tokens are gone. Gives their thumbprints. */
  sweep(options: SweepOptions): Promise<string[]>;
}

/** The keys of all logins of an application. */
export function createKeyring({ name = "default", ...options }: KeyringOptions = {}): Keyring {
  // As JSON, no name is the beginning of another.
  const prefix = `keyring ${JSON.stringify(name)} `;
  const open = new Map<string, Promise<DpopKey>>();

  const keyOf = async ({ thumbprint }: KeyOf): Promise<DpopKey> => {
    if (!thumbprint) throw new KeyboundError("token_key_mismatch", undefined, "It is not known which key the token is bound to. Keep key.thumbprint with it.");
    const found = await open.get(thumbprint)?.catch(() => undefined);
    if (found && !found.lost) return found;
    const opening = DpopKey.open(prefix + thumbprint, { ...options, thumbprint });
    open.set(thumbprint, opening);
    return opening;
  };

  return {
    async create() {
      const pair = await generate(options.algorithm ?? "ES256");
      const { thumbprint } = await DpopKey.from(pair);
      await obtain(prefix + thumbprint, async () => pair, undefined);
      return keyOf({ thumbprint });
    },
    keyOf,
    async delete(token) {
      try {
        await (await keyOf(token)).delete();
      } catch (error) {
        if ((error as KeyboundError).code !== "key_lost") throw error;
      }
      open.delete(token.thumbprint!);
    },
    async sweep({ keep, olderThan }) {
      const kept = new Set(Array.from(keep, ({ thumbprint }) => prefix + thumbprint));
      const age = olderThan === undefined ? ABANDONED_AFTER : olderThan * 1000;
      const removed: string[] = [];
      const mayGo = (key: IDBValidKey): boolean => !kept.has(key as string) && removed.push(key as string) > 0;
      // In memory, they go with the page.
      await orRefused<void>(sweep(prefix, `${prefix}\uffff`, age, mayGo), () => {});
      return removed.map((key) => {
        const thumbprint = key.slice(prefix.length);
        tell(key, thumbprint);
        open.delete(thumbprint);
        return thumbprint;
      });
    },
  };
}
