// One request's life: carries out what the state machine in the module commands.

import { EXPOSE, failure, KeyboundError } from "./errors.js";
import type { KeyboundEvent } from "./events.js";
import { init } from "./init.js";
import { type DpopKey, tokenHash } from "./key.js";
import { type NonceStore, sharedNonces } from "./nonces.js";
import { desk, now, parsed, put, serverOf, taken, wasm } from "./module.js";
import * as numbers from "./numbers.js";
import { patienceOf } from "./patience.js";
import { isRequest, keep, type Kept } from "./replay.js";
import type { TokenAnswer } from "./token-answer.js";

/** A token with the thumbprint of the key it is bound to, read as one so that a refresh cannot tear them apart. */
export interface BoundToken {
  accessToken: string;
  /** "DPoP"; anything else is `token_downgraded` (RFC 9449 §5). */
  tokenType: string;
  /** The `jkt` of its confirmation, where known: a token of another key is `token_key_mismatch` before it is sent. */
  thumbprint?: string;
  /** Seconds since 1970. */
  expiresAt?: number | undefined;
  /** By how many seconds the clock of the server that issued it is ahead of this machine's, where known: proofs follow it. */
  clockOffset?: number | undefined;
}

/** What a token is asked for. */
export interface TokenContext {
  /** The request's. */
  url: URL;
  /** The resource server just answered `invalid_token`; another token than before earns one more attempt. */
  stale: boolean;
  /** The token that it answered so. */
  refused?: string;
}

/** A client of one kind of server. */
export interface Client {
  role: "as" | "rs";
  origins: readonly (string | URL)[];
  strict?: boolean | undefined;
  dangerouslyAcceptBearer?: boolean | undefined;
  key(token: BoundToken | null): DpopKey | Promise<DpopKey>;
  token(context: TokenContext): BoundToken | null | Promise<BoundToken | null>;
  /** By default where all tabs of the origin find them. */
  nonces?: NonceStore | undefined;
  /** The platform's by default. */
  fetch?: typeof fetch | undefined;
  /** The URL itself by default. */
  htu?: ((url: URL) => string | URL) | undefined;
  /** 1 MiB by default. */
  replayableBodyBytes?: number | undefined;
  /** Reads a copy of an authorization server's answer; resource servers' are the caller's alone. */
  readAnswer?(answer: Response): Promise<TokenAnswer>;
  onEvent?: ((event: KeyboundEvent) => void) | undefined;
}

/** What is known of servers, by role and origin. */
interface Servers {
  /** Those that answered, and by how many seconds their clocks are ahead of ours, if they said so. */
  heard: Map<string, number | undefined>;
  /** First requests that are under way: they may bring the nonce that all others need. */
  first: Map<string, Promise<void>>;
}

/** What one client learnt, another that keeps its nonces in the same place need not learn again. */
const learnt = /* @__PURE__ */ new WeakMap<NonceStore, Servers>();

/** By how much the clock of the authorization server that spoke last is ahead: the best guess for servers that say nothing. */
let issuerClock = 0;

/** How long others wait for the first answer of a server before one of them goes on as the first. */
const FIRST_ANSWER_PATIENCE = 3000;
/** How long one request waits for the first answers of others. */
const OTHERS_PATIENCE = 5000;

/** Clocks that differ by less are the same, as to the module: answers take time. */
const TOLERANCE = 5;

/** By how many seconds an authorization server's clock is ahead, where it told one whose nonces are kept there. */
export function clockOffsetOf(nonces: NonceStore = sharedNonces, endpoint: string): number | undefined {
  return learnt.get(nonces)?.heard.get(`as ${new URL(endpoint).origin}`);
}

/** A `fetch` that does what the client's policy says. */
export function connect(client: Client): typeof fetch {
  const { role, nonces = sharedNonces } = client;
  const servers = learnt.get(nonces) ?? { heard: new Map(), first: new Map() };
  learnt.set(nonces, servers);
  const { heard, first } = servers;
  const tell = (event: KeyboundEvent): void => client.onEvent?.(event);
  // Looked up at each call, as a page's own `fetch(...)` is; and never called as a method of something else.
  const send = (...call: Parameters<typeof fetch>): Promise<Response> => (client.fetch ?? fetch)(...call);

  /** One request, from the question for a token to the answer that the caller gets. */
  return async (input, requestInit) => {
    const asked = isRequest(input) ? input : undefined;
    const signal = requestInit?.signal ?? asked?.signal;
    const { wait, end } = patienceOf(signal);
    /** Where the module has it. */
    let exchange: number | undefined;
    let url!: URL;
    let token: BoundToken | null = null;
    let key: DpopKey | undefined;
    let kept: Kept | undefined;
    /** What the next proof signs. */
    let signed: Uint8Array<ArrayBuffer>;
    let answer: Response | undefined;
    /** Where the answer redirects to. */
    let location: URL | undefined;
    /** Where the request was redirected to. */
    let moved: URL | undefined;
    /** By which clock the last attempt was made; others may learn another meanwhile. */
    let offset = 0;
    /** Lets those go that wait for the first answer. */
    let arrived: (() => void) | undefined;

    const server = (): string => `${role} ${url.origin}`;
    const clockOffset = (): number => heard.get(server()) ?? token?.clockOffset ?? issuerClock;
    const hear = (): void => {
      heard.set(server(), heard.get(server()));
      arrived?.();
    };

    const begin = (): number => {
      url = new URL(asked?.url ?? (input as string | URL), globalThis.document?.baseURI ?? globalThis.location?.href);
      const headers = new Headers(requestInit?.headers ?? asked?.headers);
      exchange = wasm.begin(
        desk,
        put([
          methodOf(requestInit?.method ?? asked?.method ?? "GET", url),
          serverOf(url),
          headers.get("content-type") ?? (requestInit?.body instanceof URLSearchParams ? "application/x-www-form-urlencoded" : undefined),
          headers.get("authorization"),
          headers.get("dpop"),
          null,
          null,
          ...client.origins.map((origin) => serverOf(parsed(origin))),
        ]),
        (role === "rs" ? 1 : 0) | (client.strict ? 2 : 0) | (client.dangerouslyAcceptBearer ? 4 : 0),
      );
      return wasm.first(exchange);
    };

    const ask = async (stale: boolean): Promise<number> => {
      token = await wait(client.token({ url: new URL(url), stale, ...(stale && token && { refused: token.accessToken }) }));
      if (!token) return wasm.token(desk, exchange!, put([]));
      const hash = await wait(tokenHash(token.accessToken));
      return wasm.token(desk, exchange!, put([token.accessToken, token.tokenType, token.thumbprint], hash));
    };

    /** The stored nonce; or none, and this is the first request to a server: others wait a moment for what its answer brings. */
    const nonceOf = async (): Promise<string | undefined> => {
      const until = Date.now() + OTHERS_PATIENCE;
      for (;;) {
        const stored = await wait(nonces.get(role, url.origin));
        if (stored !== undefined || heard.has(server()) || arrived || Date.now() > until) return stored;
        const name = server();
        const other = first.get(name);
        // It may fail, or take too long: then one of those that waited is the first.
        if (other) await wait(other);
        else {
          const arrival = new Promise<void>((resolve) => {
            arrived = () => {
              clearTimeout(timer);
              if (first.get(name) === arrival) first.delete(name);
              resolve();
            };
            const timer = setTimeout(arrived, FIRST_ANSWER_PATIENCE);
          });
          first.set(name, arrival);
          return undefined;
        }
      }
    };

    const prepare = async (): Promise<number> => {
      kept ??= await wait(keep(input, requestInit, client.replayableBodyBytes ?? 1024 * 1024));
      key = await wait(client.key(token));
      const nonce = await nonceOf();
      const target = client.htu ? parsed(client.htu(new URL(url))) : url;
      const texts = put([key.header, key.thumbprint, serverOf(target), target.pathname, nonce]);
      const body = kept.kind | (heard.has(server()) ? 4 : 0);
      const command = wasm.proof(desk, exchange!, texts, body, now((offset = clockOffset())));
      // Before another request's calls replace it.
      signed = taken().slice();
      return command;
    };

    const attempt = async (): Promise<number> => {
      const proof = await wait(key!.sign(signed));
      const request = kept!.next(moved);
      request.headers.set("dpop", proof);
      if (token) request.headers.set("authorization", `DPoP ${token.accessToken}`);
      discard(answer);
      answer = await wait(send(request));
      const { headers, type } = answer;
      location = absolute(headers.get("location"), url);
      const command = wasm.answer(
        desk,
        exchange!,
        put([location && serverOf(location), headers.get("www-authenticate"), headers.get("dpop-nonce")]),
        answer.status,
        (type === "opaqueredirect" ? 1 : 0) | (type === "cors" ? 2 : 0),
        Date.parse(headers.get("date") ?? "") / 1000,
        now(offset),
      );
      if (command !== numbers.STORE_NONCE) hear();
      return command;
    };

    const readBody = async (): Promise<number> => {
      const { error, tokenType, token: found, issued } = await wait(client.readAnswer!(answer!.clone()));
      return wasm.body(desk, exchange!, put([error, tokenType, found]), issued, now(offset));
    };

    const adjustClock = (): void => {
      const seconds = wasm.seconds(exchange!);
      const known = clockOffset();
      offset += seconds;
      // Of requests at one time, the first is news.
      if (Math.abs(offset - known) <= TOLERANCE) return;
      heard.set(server(), offset);
      if (role === "as") issuerClock = offset;
      tell({ type: "clock_skew", seconds });
    };

    /** Carries out what is only to be acknowledged. */
    const carryOut = async (command: number): Promise<number> => {
      const { href } = url;
      switch (command) {
        case numbers.STORE_NONCE:
          await wait(nonces.set(role, url.origin, answer!.headers.get("dpop-nonce")!));
          hear();
          break;
        case numbers.ADJUST_CLOCK:
          adjustClock();
          break;
        case numbers.FOLLOW:
          url = moved = location!;
          break;
        case numbers.REPORT_NONCE_RETRY:
        case numbers.REPORT_TOKEN_RETRY:
          tell({ type: "retry", reason: command === numbers.REPORT_NONCE_RETRY ? "use_dpop_nonce" : "invalid_token", url: href });
          break;
        case numbers.REPORT_NONCE_HIDDEN:
          tell({ type: "nonce_hidden", url: href, fix: EXPOSE });
          break;
        default:
          throw failure(command);
      }
      return wasm.done(exchange!);
    };

    try {
      await wait(init());
      let command = begin();
      for (;;) {
        if (command === numbers.PASS_THROUGH) return await send(input, requestInit);
        if (command === numbers.RETURN) return answer!;
        if (command === numbers.ASK_TOKEN || command === numbers.ASK_OTHER_TOKEN) command = await ask(command === numbers.ASK_OTHER_TOKEN);
        else if (command === numbers.PREPARE) command = await prepare();
        else if (command === numbers.SEND) command = await attempt();
        else if (command === numbers.READ_BODY) command = await readBody();
        else command = await carryOut(command);
      }
    } catch (error) {
      const known = failure(error);
      if (known instanceof KeyboundError && known.code === "key_lost") tell({ type: "key_lost", name: key?.name ?? "" });
      discard(answer);
      throw signal?.aborted && !(known instanceof KeyboundError) ? new KeyboundError("aborted", signal.reason) : known;
    } finally {
      end();
      arrived?.();
      if (exchange !== undefined) wasm.end(exchange);
    }
  };
}

/** Fetch upper-cases six methods and leaves the others; some runtimes differ, so the platform is asked (RFC 9449 §4.2 `htm`). */
function methodOf(method: string, url: URL): string {
  return /^[A-Z]+$/.test(method) ? method : new Request(url, { method }).method;
}

function absolute(location: string | null, base: URL): URL | undefined {
  try {
    return location === null ? undefined : new URL(location, base);
  } catch {
    return undefined;
  }
}

/** Nobody reads it any more: the connection is free again. */
function discard(answer: Response | undefined): void {
  answer?.body?.cancel().catch(() => {});
}
