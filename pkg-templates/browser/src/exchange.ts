// One request's life: carries out what the state machine in the module commands.

import { EXPOSE, failure, KeyboundError } from "./errors.js";
import type { KeyboundEvent } from "./events.js";
import { init } from "./init.js";
import { type DpopKey, tokenHash } from "./key.js";
import { type NonceStore, sharedNonces } from "./nonces.js";
import { desk, now, put, taken, wasm } from "./module.js";
import * as numbers from "./numbers.js";
import { Patience } from "./patience.js";
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
  expiresAt?: number;
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
  acceptBearer?: boolean | undefined;
  key(token: BoundToken | null): DpopKey | Promise<DpopKey>;
  token(context: TokenContext): BoundToken | null | Promise<BoundToken | null>;
  /** By default where all tabs of the origin find them. */
  nonces?: NonceStore | undefined;
  /** The platform's by default. */
  fetch?: typeof fetch | undefined;
  /** The URL itself by default. */
  signedUrl?: ((url: URL) => string | URL) | undefined;
  /** 1 MiB by default. */
  replayableBytes?: number | undefined;
  /** Reads a copy of an authorization server's answer; resource servers' are the caller's alone. */
  readAnswer?(answer: Response): Promise<TokenAnswer>;
  onEvent(event: KeyboundEvent): void;
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
  const { nonces = sharedNonces } = client;
  const servers = learnt.get(nonces) ?? { heard: new Map(), first: new Map() };
  learnt.set(nonces, servers);
  return async (input, requestInit) => {
    const signal = requestInit?.signal ?? (isRequest(input) ? input.signal : undefined);
    const patience = new Patience(signal);
    let life: Life | undefined;
    try {
      await patience.with(init());
      life = new Life(client, nonces, servers, patience, input, requestInit);
      return await life.run();
    } catch (error) {
      const known = failure(error);
      if (known instanceof KeyboundError && known.code === "key_lost") client.onEvent({ type: "key_lost", name: life?.keyName ?? "" });
      discard(life?.answer);
      throw signal?.aborted && !(known instanceof KeyboundError) ? new KeyboundError("aborted", signal.reason) : known;
    } finally {
      patience.end();
      life?.end();
    }
  };
}

class Life {
  /** Where the module has it. */
  readonly #exchange: number;
  /** What belongs to the last command: signing input, nonce, or URL. */
  #text = "";
  #url: URL;
  #token: BoundToken | null = null;
  #key: DpopKey | undefined;
  #kept: Kept | undefined;
  #answer: Response | undefined;
  /** By which clock the last attempt was made; others may learn another meanwhile. */
  #offset = 0;
  /** Lets those go that wait for the first answer. */
  #arrived: (() => void) | undefined;

  constructor(
    readonly client: Client,
    readonly nonces: NonceStore,
    readonly servers: Servers,
    readonly patience: Patience,
    readonly input: RequestInfo | URL,
    readonly requestInit: RequestInit | undefined,
  ) {
    const asked = isRequest(input) ? input : undefined;
    this.#url = new URL(asked?.url ?? (input as string | URL), globalThis.document?.baseURI ?? globalThis.location?.href);
    const headers = new Headers(requestInit?.headers ?? asked?.headers);
    this.#exchange = wasm.begin(
      desk,
      put([
        methodOf(requestInit?.method ?? asked?.method ?? "GET", this.#url),
        this.#url.href,
        headers.get("content-type") ?? (requestInit?.body instanceof URLSearchParams ? "application/x-www-form-urlencoded" : undefined),
        headers.get("authorization"),
        headers.get("dpop"),
        ...client.origins.map(String),
      ]),
      (client.role === "rs" ? 1 : 0) | (client.strict ? 2 : 0) | (client.acceptBearer ? 4 : 0),
    );
  }

  async run(): Promise<Response> {
    const { onEvent } = this.client;
    let command = wasm.command(this.#exchange);
    for (;;) {
      switch (command) {
        case numbers.PASS_THROUGH:
          return this.#fetch(this.input, this.requestInit);
        case numbers.RETURN:
          return this.#answer!;
        case numbers.ASK_TOKEN:
          command = await this.#ask(false);
          continue;
        case numbers.ASK_OTHER_TOKEN:
          command = await this.#ask(true);
          continue;
        case numbers.PREPARE:
          command = await this.#prepare();
          continue;
        case numbers.SEND:
          command = await this.#send();
          continue;
        case numbers.READ_BODY:
          command = await this.#readBody();
          continue;
        case numbers.STORE_NONCE:
          await this.patience.with(this.nonces.set(this.client.role, this.#url.origin, this.#text));
          this.#hear();
          break;
        case numbers.ADJUST_CLOCK: {
          const seconds = wasm.skew(this.#exchange);
          const known = this.#clockOffset();
          this.#offset += seconds;
          // Of requests at one time, the first is news.
          if (Math.abs(this.#offset - known) <= TOLERANCE) break;
          this.servers.heard.set(this.#server, this.#offset);
          if (this.client.role === "as") issuerClock = this.#offset;
          onEvent({ type: "clock_skew", seconds });
          break;
        }
        case numbers.FOLLOW:
          this.#url = new URL(this.#text);
          break;
        case numbers.REPORT_NONCE_RETRY:
          onEvent({ type: "retry", reason: "use_dpop_nonce", url: this.#url.href });
          break;
        case numbers.REPORT_TOKEN_RETRY:
          onEvent({ type: "retry", reason: "invalid_token", url: this.#url.href });
          break;
        case numbers.REPORT_NONCE_HIDDEN:
          onEvent({ type: "nonce_hidden", url: this.#url.href, fix: EXPOSE });
          break;
        default:
          throw failure(command);
      }
      command = this.#told(wasm.done(desk, this.#exchange));
    }
  }

  get keyName(): string | null | undefined {
    return this.#key?.name;
  }

  get answer(): Response | undefined {
    return this.#answer;
  }

  end(): void {
    this.#arrived?.();
    wasm.end(this.#exchange);
  }

  /** Takes the text of a command before another request's calls replace it. */
  #told(command: number): number {
    this.#text = taken();
    return command;
  }

  async #ask(stale: boolean): Promise<number> {
    const token = await this.patience.with(this.client.token({ url: new URL(this.#url), stale, ...(stale && this.#token && { refused: this.#token.accessToken }) }));
    this.#token = token;
    if (!token) return wasm.token(desk, this.#exchange, put([]));
    const hash = await this.patience.with(tokenHash(token.accessToken));
    return wasm.token(desk, this.#exchange, put([token.accessToken, token.tokenType, token.thumbprint], hash));
  }

  async #prepare(): Promise<number> {
    const { client, patience } = this;
    this.#kept ??= await patience.with(keep(this.input, this.requestInit, client.replayableBytes ?? 1024 * 1024));
    this.#key = await patience.with(client.key(this.#token));
    const nonce = await this.#nonce();
    const url = String(client.signedUrl?.(new URL(this.#url)) ?? this.#url);
    const { heard } = this.servers;
    const { header, thumbprint } = this.#key;
    const body = this.#kept.kind | (heard.has(this.#server) ? 4 : 0);
    return this.#told(wasm.prepared(desk, this.#exchange, put([header, thumbprint, url, nonce]), body, now((this.#offset = this.#clockOffset()))));
  }

  async #nonce(): Promise<string | undefined> {
    const { client, patience } = this;
    const { heard, first } = this.servers;
    const end = Date.now() + OTHERS_PATIENCE;
    for (;;) {
      const stored = await patience.with(this.nonces.get(client.role, this.#url.origin));
      if (stored !== undefined || heard.has(this.#server) || this.#arrived || Date.now() > end) return stored;
      const other = first.get(this.#server);
      if (!other) {
        this.#announce(first, this.#server);
        return undefined;
      }
      // It may fail, or take too long: then one of those that waited is the first.
      await patience.with(other);
    }
  }

  /** This is the first request to a server: others wait a moment for what its answer brings. */
  #announce(first: Servers["first"], server: string): void {
    const arrival = new Promise<void>((resolve) => {
      const arrived = (this.#arrived = () => {
        clearTimeout(timer);
        if (first.get(server) === arrival) first.delete(server);
        resolve();
      });
      const timer = setTimeout(arrived, FIRST_ANSWER_PATIENCE);
    });
    first.set(server, arrival);
  }

  #hear(): void {
    const { heard } = this.servers;
    heard.set(this.#server, heard.get(this.#server));
    this.#arrived?.();
  }

  #fetch(...call: Parameters<typeof fetch>): Promise<Response> {
    // Looked up at each call, as a page's own `fetch(...)` is; and never called as a method of something else.
    const send = this.client.fetch ?? fetch;
    return send(...call);
  }

  get #server(): string {
    return `${this.client.role} ${this.#url.origin}`;
  }

  #clockOffset(): number {
    return this.servers.heard.get(this.#server) ?? this.#token?.clockOffset ?? issuerClock;
  }

  async #send(): Promise<number> {
    const proof = await this.patience.with(this.#key!.sign(this.#text));
    const request = this.#kept!.next(this.#url);
    request.headers.set("dpop", proof);
    if (this.#token) request.headers.set("authorization", `DPoP ${this.#token.accessToken}`);
    discard(this.#answer);
    const answer = (this.#answer = await this.patience.with(this.#fetch(request)));

    const { headers } = answer;
    const command = this.#told(
      wasm.answered(
        desk,
        this.#exchange,
        put([absolute(headers.get("location"), this.#url), headers.get("www-authenticate"), headers.get("dpop-nonce")]),
        answer.status,
        (answer.type === "opaqueredirect" ? 1 : 0) | (answer.type === "cors" ? 2 : 0),
        Date.parse(headers.get("date") ?? "") / 1000,
        now(this.#offset),
      ),
    );
    if (command !== numbers.STORE_NONCE) this.#hear();
    return command;
  }

  async #readBody(): Promise<number> {
    const { error, tokenType, token, issued } = await this.patience.with(this.client.readAnswer!(this.#answer!.clone()));
    return wasm.body(desk, this.#exchange, put([error, tokenType, token]), issued, now(this.#offset));
  }
}

/** Fetch upper-cases six methods and leaves the others; some runtimes differ, so the platform is asked (RFC 9449 §4.2 `htm`). */
function methodOf(method: string, url: URL): string {
  return /^[A-Z]+$/.test(method) ? method : new Request(url, { method }).method;
}

function absolute(location: string | null, base: URL): string | undefined {
  try {
    return location === null ? undefined : new URL(location, base).href;
  } catch {
    return undefined;
  }
}

/** Nobody reads it any more: the connection is free again. */
function discard(answer: Response | undefined): void {
  answer?.body?.cancel().catch(() => {});
}
