// One request's life: carries out what the state machine in the module commands.

import { EXPOSE, failure, KeyboundError } from "./errors.js";
import type { KeyboundEvent } from "./events.js";
import { init } from "./init.js";
import type { DpopKey } from "./key.js";
import type { NonceStore } from "./nonces.js";
import * as numbers from "./numbers.js";
import { texts } from "./numbers.js";
import { Patience } from "./patience.js";
import { isRequest, keep, type Kept } from "./replay.js";
import { Exchange } from "./wasm/keybound_browser.js";

/** A token with the thumbprint of the key it is bound to, read as one so that a refresh cannot tear them apart. */
export interface BoundToken {
  accessToken: string;
  /** "DPoP"; anything else is `token_downgraded` (RFC 9449 §5). */
  tokenType: string;
  /** The `jkt` of its confirmation, where known: a token of another key is `token_key_mismatch` before it is sent. */
  thumbprint?: string;
  /** Seconds since 1970. */
  expiresAt?: number;
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
  strict: boolean;
  acceptBearer: boolean;
  key(token: BoundToken | null): DpopKey | Promise<DpopKey>;
  token(context: TokenContext): BoundToken | null | Promise<BoundToken | null>;
  nonces: NonceStore;
  fetch: typeof fetch;
  signedUrl(url: URL): string | URL;
  replayableBytes: number;
  onEvent(event: KeyboundEvent): void;
}

/** What is known of the servers of one client. */
interface Servers {
  /** Those that answered, and by how many seconds their clocks are ahead of ours. */
  heard: Map<string, number>;
  /** First requests that are under way: they may bring the nonce that all others need. */
  first: Map<string, Promise<void>>;
}

/** How long others wait for the first answer of a server. */
const FIRST_ANSWER_PATIENCE = 3000;

/** A `fetch` that does what the client's policy says. */
export function connect(client: Client): typeof fetch {
  const servers: Servers = { heard: new Map(), first: new Map() };
  return async (input, requestInit) => {
    const signal = requestInit?.signal ?? (isRequest(input) ? input.signal : undefined);
    const patience = new Patience(signal);
    let life: Life | undefined;
    try {
      await patience.with(init());
      life = new Life(client, servers, patience, input, requestInit);
      return await life.run();
    } catch (error) {
      const known = failure(error);
      if (known instanceof KeyboundError && known.code === "key_lost") client.onEvent({ type: "key_lost", name: life?.keyName ?? "" });
      throw signal?.aborted && !(known instanceof KeyboundError) ? new KeyboundError("aborted", signal.reason) : known;
    } finally {
      patience.end();
      life?.end();
    }
  };
}

class Life {
  readonly #exchange: Exchange;
  #url: URL;
  #token: BoundToken | null = null;
  #key: DpopKey | undefined;
  #kept: Kept | undefined;
  #answer: Response | undefined;
  /** Lets those go that wait for the first answer. */
  #arrived: (() => void) | undefined;

  constructor(
    readonly client: Client,
    readonly servers: Servers,
    readonly patience: Patience,
    readonly input: RequestInfo | URL,
    readonly requestInit: RequestInit | undefined,
  ) {
    const asked = isRequest(input) ? input : undefined;
    this.#url = new URL(asked?.url ?? (input as string | URL), globalThis.document?.baseURI ?? globalThis.location?.href);
    const headers = new Headers(requestInit?.headers ?? asked?.headers);
    this.#exchange = new Exchange(
      texts(
        methodOf(requestInit?.method ?? asked?.method ?? "GET", this.#url),
        this.#url.href,
        headers.get("content-type") ?? (requestInit?.body instanceof URLSearchParams ? "application/x-www-form-urlencoded" : undefined),
        headers.get("authorization"),
        headers.get("dpop"),
        ...client.origins.map(String),
      ),
      (client.role === "rs" ? 1 : 0) | (client.strict ? 2 : 0) | (client.acceptBearer ? 4 : 0),
    );
  }

  async run(): Promise<Response> {
    const { fetch: send, onEvent } = this.client;
    let command = this.#exchange.command();
    for (;;) {
      switch (command) {
        case numbers.PASS_THROUGH:
          return send(this.input, this.requestInit);
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
          await this.patience.with(this.client.nonces.set(this.client.role, this.#url.origin, this.#exchange.text()));
          this.#hear();
          break;
        case numbers.ADJUST_CLOCK: {
          const seconds = this.#exchange.seconds();
          this.servers.heard.set(this.#url.origin, this.#clockOffset() + seconds);
          onEvent({ type: "clock_skew", seconds });
          break;
        }
        case numbers.FOLLOW:
          this.#url = new URL(this.#exchange.text());
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
          discard(this.#answer);
          throw failure(command);
      }
      command = this.#exchange.done();
    }
  }

  get keyName(): string | null | undefined {
    return this.#key?.name;
  }

  end(): void {
    this.#arrived?.();
    this.#exchange.free();
  }

  async #ask(stale: boolean): Promise<number> {
    const token = await this.patience.with(this.client.token({ url: new URL(this.#url), stale, ...(stale && this.#token && { refused: this.#token.accessToken }) }));
    this.#token = token;
    return this.#exchange.token(token ? texts(token.accessToken, token.tokenType, token.thumbprint) : "");
  }

  async #prepare(): Promise<number> {
    const { client, patience } = this;
    this.#kept ??= await patience.with(keep(this.input, this.requestInit, client.replayableBytes));
    this.#key = await patience.with(client.key(this.#token));
    const nonce = await this.#nonce();
    const url = String(client.signedUrl(new URL(this.#url)));
    const { heard } = this.servers;
    return this.#exchange.prepared(this.#key.raw, texts(url, nonce), this.#kept.kind, heard.has(this.#url.origin), this.#clockOffset());
  }

  async #nonce(): Promise<string | undefined> {
    const { client, patience, servers } = this;
    const { origin } = this.#url;
    const stored = await patience.with(client.nonces.get(client.role, origin));
    if (stored !== undefined || servers.heard.has(origin) || this.#arrived) return stored;
    const other = servers.first.get(origin);
    if (!other) {
      this.#announce(origin);
      return undefined;
    }
    await patience.with(other);
    return patience.with(client.nonces.get(client.role, origin));
  }

  /** This is the first request to a server: others wait a moment for what its answer brings. */
  #announce(origin: string): void {
    const arrival = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FIRST_ANSWER_PATIENCE);
      this.#arrived = () => {
        clearTimeout(timer);
        this.servers.first.delete(origin);
        resolve();
      };
    });
    this.servers.first.set(origin, arrival);
  }

  #hear(): void {
    this.servers.heard.set(this.#url.origin, this.#clockOffset());
    this.#arrived?.();
  }

  #clockOffset(): number {
    return this.servers.heard.get(this.#url.origin) ?? 0;
  }

  async #send(): Promise<number> {
    const { fetch: send } = this.client;
    const proof = await this.patience.with(this.#key!.sign(this.#exchange.text()));
    const request = this.#kept!.next(this.#url);
    request.headers.set("dpop", proof);
    if (this.#token) request.headers.set("authorization", `DPoP ${this.#token.accessToken}`);
    discard(this.#answer);
    const answer = (this.#answer = await this.patience.with(send(request)));

    const { headers } = answer;
    const command = this.#exchange.answered(
      texts(
        absolute(headers.get("location"), this.#url),
        headers.get("www-authenticate"),
        headers.get("dpop-nonce"),
      ),
      answer.status,
      (answer.type === "opaqueredirect" ? 1 : 0) | (answer.type === "cors" ? 2 : 0),
      Date.parse(headers.get("date") ?? "") / 1000,
      this.#clockOffset(),
    );
    if (command !== numbers.STORE_NONCE) this.#hear();
    return command;
  }

  async #readBody(): Promise<number> {
    const json = await this.patience.with(members(this.#answer!.clone()));
    const text = (name: string): string | undefined => (typeof json[name] === "string" ? json[name] : undefined);
    const token = json["access_token"] === undefined ? undefined : "there";
    return this.#exchange.body(texts(text("error"), text("token_type"), token));
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

async function members(answer: Response): Promise<Record<string, unknown>> {
  try {
    const json: unknown = await answer.json();
    return Object(json) === json ? (json as Record<string, unknown>) : {};
  } catch (error) {
    // No JSON: then no token and no error that could be acted on (WebKit throws a DOMException for an empty body).
    // Anything else, as an abort, the caller hears of.
    if ((error as Error).name === "SyntaxError") return {};
    throw error;
  }
}
