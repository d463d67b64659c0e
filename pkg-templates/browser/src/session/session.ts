// One login for all tabs: its tokens, its key, its end.

import * as oauth from "oauth4webapi";
import type { KeyboundError } from "../errors.js";
import { type BoundToken, createFetch } from "../fetch.js";
import { DpopKey } from "../key.js";
import { answerError, sessionError } from "./errors.js";
import type { SessionEvent } from "./events.js";
import { pause } from "./lock.js";
import type { FinishedLogin, LoginOptions, LogoutOptions, Session, SessionInfo, SessionOptions } from "./options.js";
import { type Ended, isLive, type Live, type Pair, type Place, Records } from "./records.js";
import { fill, type Grant, Server } from "./server.js";

/** The session of this origin with an authorization server: the same in every tab and worker. */
export function createSession(options: SessionOptions): Session {
  return new SharedSession(options, new Records(options.name ?? `${new URL(options.issuer).href} ${options.clientId}`));
}

/** How long after a failed refresh a token that still works is used before the next try. */
const HOLD_OFF = 5_000;
/** Before a request that the network lost is repeated. */
const BREATH = 500;

/** @internal A session, kept in some place: of the origin, or of one worker alone. */
export class SharedSession implements Session {
  readonly fetch: typeof fetch;
  readonly #options: SessionOptions;
  readonly server: Server;
  readonly #records: Place;
  /** What this page saw last. */
  #record: Live | Ended | undefined;
  #loaded: Promise<void> | undefined;
  #refreshing: Promise<Live | undefined> | undefined;
  #failedAt = 0;
  /** Keys by thumbprint: requests under way go on with the token, and so the key, of a session before. */
  readonly #keys = new Map<string, Promise<DpopKey>>();
  readonly #channel: BroadcastChannel | undefined;

  constructor(options: SessionOptions, place: Place) {
    this.#options = options;
    this.#records = place;
    this.server = new Server(options);
    this.fetch = createFetch({
      ...options,
      key: ({ thumbprint }) => this.#keys.get(thumbprint!)!,
      token: async ({ refused }) => {
        const record = await this.#usable(refused);
        if (!record) return null;
        await this.#key(record);
        return tokenOf(record);
      },
    });
    this.#channel = place.channel();
    if (this.#channel) {
      this.#channel.onmessage = () => this.#reload();
      globalThis.addEventListener("pageshow", this.#onShow);
    }
    this.#reload();
    this.#records.sweep().catch(() => {});
  }

  async login(options?: LoginOptions): Promise<void> {
    location.assign(await this.loginUrl(options));
  }

  async loginUrl({ appState, parameters }: LoginOptions = {}): Promise<URL> {
    const { redirectUri, scope } = this.#options;
    const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
    // A key of its own for each login: the one before serves its tokens as long as they last.
    const pair = await this.server.makePair();
    const kept = await this.#records.begin(state, { ...pair, verifier, appState, at: Date.now() });
    try {
      const query = new URLSearchParams(parameters);
      fill(query, {
        response_type: "code",
        redirect_uri: String(redirectUri),
        scope,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      // RFC 9449 §10: the code is of use with this key only. One that is not kept cannot be promised.
      const key = kept ? await DpopKey.from(pair.pair, pair.algorithm) : undefined;
      if (key) query.set("dpop_jkt", key.thumbprint);
      return await this.server.authorizationUrl(query, key);
    } catch (error) {
      await this.#records.drop(state).catch(() => {});
      throw error;
    }
  }

  async finishLogin(url?: string | URL): Promise<FinishedLogin | null> {
    const address = new URL(url ?? location.href);
    const answer = address.searchParams;
    const state = answer.get("state");
    const isOurs = withoutQuery(address) === withoutQuery(new URL(this.#options.redirectUri));
    if (!isOurs || !state || !(answer.has("code") || answer.has("error"))) return null;
    // Under the lock: a second request with one code would make the server revoke what the first one got (RFC 6749 §4.1.2).
    const finished = await this.#records.exclusively(() => this.#finish(answer, state)).catch((error: unknown) => {
      // After an answer that may come again, a reload tries again.
      if (!url && !isPassing(error)) forgetAnswer(address);
      throw error;
    });
    if (!url) forgetAnswer(address);
    return finished;
  }

  async current(): Promise<SessionInfo | null> {
    await this.#load();
    const record = this.#live;
    if (!record) return null;
    const { claims, thumbprint, tokens } = record;
    return { claims, thumbprint, scope: tokens.scope, expiresAt: seconds(tokens.expiresAt), storage: this.#records.storage };
  }

  async bound(): Promise<{ token: BoundToken; key: DpopKey } | null> {
    const record = await this.#usable(undefined);
    return record ? { token: tokenOf(record), key: await this.#key(record) } : null;
  }

  async logout({ postLogoutRedirectUri: back }: LogoutOptions = {}): Promise<URL | null> {
    const record = await this.#records.exclusively(async () => {
      for (;;) {
        const found = await this.#records.read();
        // Of site data that were cleared, what this page knows is worth revoking.
        if (!isLive(found)) return found ? undefined : this.#live;
        if (await this.#records.replace(found, { ended: "logout" })) return found;
      }
    });
    this.#show({ ended: "logout" });
    if (!record) return null;
    const { tokens } = record;
    try {
      await this.server.revoke(tokens, await this.#key(record));
    } catch (cause) {
      this.#options.onEvent?.({ type: "revocation_failed", cause });
    }
    return this.server.logoutUrl(tokens.idToken, back && String(back)).catch(() => null);
  }

  close(): void {
    this.#channel?.close();
    globalThis.removeEventListener?.("pageshow", this.#onShow);
  }

  async #finish(answer: URLSearchParams, state: string): Promise<FinishedLogin> {
    const login = await this.#records.login(state);
    if (!login) {
      await this.#look();
      if (this.#live?.login === state) return { appState: this.#live.appState };
      throw sessionError("login_unknown");
    }
    const { appState } = login;
    // Nobody can be asked who the answer is of: the login waits.
    await this.server.metadata();
    const code = await this.server.validated(answer, state).catch(async (error: unknown) => {
      const known = answerError(error);
      // One that is not of this server must not end a login with it.
      if (known.code !== "login_invalid") await this.#records.drop(state);
      throw known;
    });
    const { pair, algorithm } = login.pair ? (login as Pair) : await this.server.makePair();
    const key = await DpopKey.from(pair, algorithm);
    let grant: Grant;
    try {
      grant = await this.server.redeem(code, String(this.#options.redirectUri), login.verifier, key);
    } catch (error) {
      if (!isPassing(error)) await this.#records.drop(state);
      throw error;
    }
    const record: Live = { login: state, appState, pair, algorithm, thumbprint: key.thumbprint, ...grant };
    await this.#records.start(record);
    this.#show(record);
    return { appState };
  }

  /** The session with a token that should work: not `refused`, and not about to end. */
  async #usable(refused: string | undefined): Promise<Live | undefined> {
    await this.#load();
    const record = this.#live;
    if (!record) return undefined;
    const { accessToken, refreshAt = Infinity, expiresAt = Infinity, refreshToken } = record.tokens;
    const now = Date.now();
    const isRefused = accessToken === refused;
    if (!isRefused && (now < refreshAt || !refreshToken || (now < expiresAt && now < this.#failedAt + HOLD_OFF))) return record;
    try {
      return await (this.#refreshing ??= this.#records.exclusively(() => this.#refresh(record)).finally(() => (this.#refreshing = undefined)));
    } catch (error) {
      this.#failedAt = Date.now();
      // It was early: what is there still works.
      if (!isRefused && Date.now() < expiresAt) return record;
      throw error;
    }
  }

  /** One tab refreshes; those that waited find what it got. */
  async #refresh(old: Live): Promise<Live | undefined> {
    await this.#look();
    const record = this.#live;
    if (record?.tokens.accessToken !== old.tokens.accessToken) return record;
    const { refreshToken, expiresAt = Infinity } = record.tokens;
    if (!refreshToken) return Date.now() < expiresAt ? record : this.#replace(record, { ended: "expired" });
    const key = await this.#key(record);
    const ask = (): Promise<Grant> => this.server.refresh(refreshToken, key, record.tokens);
    try {
      const { tokens, claims = record.claims } = await ask().catch(async (error: unknown) => {
        // The answer may be lost when the server has made another refresh token: soon asked again, many servers give it again.
        if (!isLost(error)) throw error;
        await pause(BREATH);
        return ask();
      });
      // OpenID Connect Core §12.2: a session does not pass to somebody else.
      if (claims?.["sub"] !== record.claims?.["sub"]) throw sessionError("server_failed");
      return await this.#replace(record, { ...record, tokens, claims });
    } catch (error) {
      // Only this says that the refresh token is of no use (RFC 6749 §5.2). Anything else may pass.
      if (isInvalidGrant(error)) return this.#replace(record, { ended: "refused" });
      throw error;
    }
  }

  /** Puts `next` in the place of `record`, unless another tab was first. */
  async #replace(record: Live, next: Live | Ended): Promise<Live | undefined> {
    if (await this.#records.replace(record, next)) this.#show(next);
    else await this.#look();
    return this.#live;
  }

  get #live(): Live | undefined {
    return isLive(this.#record) ? this.#record : undefined;
  }

  #load(): Promise<void> {
    return (this.#loaded ??= this.#look());
  }

  /** Another tab changed it, or the page was frozen while one may have. */
  #reload(): void {
    const looking = this.#look();
    this.#loaded = looking;
    looking.catch(() => {
      if (this.#loaded === looking) this.#loaded = undefined;
    });
  }

  readonly #onShow = (event: PageTransitionEvent): void => {
    if (event.persisted) this.#reload();
  };

  async #look(): Promise<void> {
    this.#see(await this.#records.read(), true);
  }

  /** This tab changed it: the others look. */
  #show(record: Live | Ended): void {
    this.#see(record, false);
    this.#channel?.postMessage(0);
  }

  /** What happened is what differs from before, so that each tab says it once, however it learns of it. */
  #see(record: Live | Ended | undefined, elsewhere: boolean): void {
    const before = this.#record;
    const isFirst = before === undefined;
    this.#record = record ?? { ended: "lost" };
    const tell = (event: SessionEvent): void => this.#options.onEvent?.(event);
    if (isLive(record)) {
      void this.#key(record);
      if (isFirst && elsewhere) return;
      if (!isLive(before) || before.login !== record.login) tell({ type: "session_started", elsewhere });
      else if (before.tokens.accessToken !== record.tokens.accessToken) tell({ type: "session_refreshed", elsewhere });
    } else if (isLive(before)) tell({ type: "session_ended", reason: record?.ended ?? "lost", elsewhere });
  }

  #key({ thumbprint, pair, algorithm }: Live): Promise<DpopKey> {
    let key = this.#keys.get(thumbprint);
    if (!key) {
      this.#keys.set(thumbprint, (key = DpopKey.from(pair, algorithm)));
      key.catch(() => this.#keys.delete(thumbprint));
    }
    return key;
  }
}

function tokenOf({ thumbprint, tokens }: Live): BoundToken {
  const { accessToken, clockOffset, expiresAt } = tokens;
  return { accessToken, tokenType: "DPoP", thumbprint, clockOffset, expiresAt: seconds(expiresAt) };
}

const seconds = (milliseconds: number | undefined): number | undefined => milliseconds && Math.floor(milliseconds / 1000);

/** The network lost it. A timeout is not that: the server may be at it still. */
const isLost = (error: unknown): boolean => (error as KeyboundError).cause instanceof TypeError;

const isInvalidGrant = (error: unknown): boolean => ((error as KeyboundError).cause as { error?: string } | undefined)?.error === "invalid_grant";

const isPassing = (error: unknown): boolean => /^(server|storage)_failed$/.test((error as KeyboundError).code);

const withoutQuery = ({ origin, pathname }: URL): string => origin + pathname;

/** The page's address without the answer: a reload or a bookmark is no second one. */
function forgetAnswer(address: URL): void {
  for (const name of ["code", "state", "iss", "error", "error_description", "error_uri", "session_state"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}
