// In the worker: keeps a session in memory, and does for the page what it may ask for.

import { createFetchGuard } from "./guard.js";
import { keepNonces } from "../nonces.js";
import { sessionError } from "../session/errors.js";
import type { SessionOptions } from "../session/options.js";
import { SharedSession } from "../session/session.js";
import { toFailure, workerError } from "./errors.js";
import { Memory } from "./memory.js";
import { type Answer, type Ask, BODY_LIMIT, type Call, HELLO, PENDING_LIMIT, type Question, type Reply, TEXT_LIMIT } from "./messages.js";
import { atMost } from "../replay.js";

/** What the session is for. It stands in the worker's script, where no message can change it. */
export interface WorkerOptions
  extends Pick<SessionOptions, "issuer" | "clientId" | "redirectUri" | "scope" | "resource" | "algorithm" | "metadata"> {
  /** Where requests may go; to all others they are refused. Not the authorization server, of which only the userinfo endpoint may be asked. */
  origins: readonly (string | URL)[];
  /** Of every authorization request, over what the page asks for; `{ prompt: "login" }`: no login without the person. */
  parameters?: Readonly<Record<string, string>>;
}

/**
 * Call it once, at the top of a worker's script: `serveWorker({ issuer, clientId, redirectUri, origins })`. The first `connectWorker` gets
 * the session, others are refused. Key and tokens are in this worker's memory only, and end with it.
 */
export function serveWorker(options: WorkerOptions): void {
  // A shared worker would serve whoever finds it, a service worker would outlive the page.
  if (!("DedicatedWorkerGlobalScope" in globalThis)) throw workerError("worker_refused", "serveWorker is for dedicated workers: new Worker(...).");
  let desk: Desk | undefined;
  addEventListener("message", ({ data, ports: [port] }: MessageEvent) => {
    if (data !== HELLO || !port) return;
    const reply = (answer: Reply): void => port.postMessage(answer);
    if (desk) reply({ id: 0, failure: toFailure(workerError("worker_refused", "It is connected already: another page needs another worker.")) });
    else {
      desk = new Desk(options, port);
      void lifeline().then((value) => reply({ id: 0, value }));
    }
  });
}

/** A lock that is held as long as this worker is there: who waits for it learns of the end. Null where there are no locks. */
function lifeline(): Promise<string | null> {
  const name = `keybound worker ${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const hold = (): Promise<never> => {
      resolve(name);
      return new Promise(() => {});
    };
    const held = globalThis.navigator.locks?.request(name, hold) ?? Promise.reject();
    held.catch(() => resolve(null));
  });
}

/** Parameters of an authorization request that a page may choose: whom to ask, and how (OpenID Connect Core §3.1.2.1). */
const FROM_PAGE = ["prompt", "login_hint", "acr_values", "max_age", "ui_locales", "display"];

/** What of an event crosses over: no error of a library, which may hold an answer. */
const TOLD = ["type", "reason", "seconds", "url", "fix"];

/** How much of an answer is read before the page does: small ones end by themselves, read or not. */
const AHEAD = 1024 * 1024;

class Desk {
  readonly #options: WorkerOptions;
  readonly #port: MessagePort;
  readonly #session: SharedSession;
  readonly #running = new Map<number, AbortController>();
  #pending = 0;

  constructor(options: WorkerOptions, port: MessagePort) {
    this.#options = options;
    this.#port = port;
    const { issuer, clientId, redirectUri, scope, resource, algorithm, metadata, origins } = options;
    const known = { issuer, clientId, redirectUri, scope, resource, algorithm, metadata, origins };
    this.#session = new SharedSession(
      {
        ...(Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as unknown as SessionOptions),
        strict: true,
        nonces: keepNonces(),
        fetch: createFetchGuard(),
        onEvent: (event) => port.postMessage({ event: Object.fromEntries(Object.entries(event).filter(([name]) => TOLD.includes(name))) } satisfies Reply),
      },
      new Memory(),
    );
    port.onmessage = ({ data }: MessageEvent) => void this.#hear(Object(data) as Partial<Question>);
  }

  async #hear({ id, ask }: Partial<Question>): Promise<void> {
    if (typeof id !== "number") return;
    const running = this.#running.get(id);
    if (ask === undefined) return running?.abort();
    if (running) return;
    const controller = new AbortController();
    this.#running.set(id, controller);
    let ended: Promise<void> | undefined;
    try {
      if (++this.#pending > PENDING_LIMIT) throw workerError("worker_refused", `It answers ${PENDING_LIMIT} questions at a time.`);
      const { value, transfer, end } = await this.#do(Object(ask) as Ask, controller.signal);
      ended = end;
      this.#port.postMessage({ id, value } satisfies Reply, transfer ?? []);
    } catch (error) {
      this.#port.postMessage({ id, failure: toFailure(error) } satisfies Reply);
    } finally {
      this.#pending--;
    }
    await ended;
    this.#running.delete(id);
    this.#port.postMessage({ ended: id } satisfies Reply);
  }

  async #do(ask: Ask, signal: AbortSignal): Promise<Done> {
    const session = this.#session;
    switch (ask.type) {
      case "begin":
        return { value: String(await session.loginUrl({ parameters: this.#parameters(pairs(ask.parameters)) })) };
      case "finish":
        if (!(await session.finishLogin(text(ask.url)))) throw sessionError("login_invalid");
        return { value: await session.current() };
      case "status":
        return { value: await session.current() };
      case "logout": {
        const url = await session.logout(ask.back === undefined ? {} : { postLogoutRedirectUri: text(ask.back) });
        // The ID token is a hint only (OpenID Connect RP-Initiated Logout §2), and one of ours stays here.
        url?.searchParams.delete("id_token_hint");
        return { value: url && url.href };
      }
      case "fetch":
        return this.#fetch(ask, signal);
      default:
        throw workerError("worker_refused");
    }
  }

  #parameters(asked: [string, string][]): URLSearchParams {
    const unknown = asked.find(([name]) => !FROM_PAGE.includes(name));
    if (unknown) throw workerError("worker_refused", `The parameter ${unknown[0]} is set in the worker's script, in \`parameters\`.`);
    const all = new URLSearchParams(asked);
    for (const [name, value] of Object.entries(this.#options.parameters ?? {})) all.set(name, value);
    return all;
  }

  async #fetch(call: Call, signal: AbortSignal): Promise<Done> {
    const url = new URL(text(call.url));
    const headers = new Headers(pairs(call.headers));
    for (const name of ["authorization", "dpop"]) {
      if (headers.has(name)) throw workerError("worker_refused", `The field ${name} is the worker's to set.`);
    }
    const { body } = call;
    if (body !== undefined && !(body instanceof ArrayBuffer && body.byteLength <= BODY_LIMIT)) {
      throw workerError("worker_refused", `A body has at most ${BODY_LIMIT} octets.`);
    }
    await this.#refuseTokenEndpoints(url);
    const method = text(call.method);
    const response = await this.#session.fetch(url, { method, headers, signal, ...(body && { body }) });

    const answer: Answer = {
      url: url.href,
      status: response.status,
      statusText: response.statusText,
      headers: [...response.headers].filter(([name]) => name !== "dpop-nonce"),
      body: null,
    };
    if (!response.body) return { value: answer };
    if (handsOverStreams()) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: AHEAD, size: (chunk) => chunk.byteLength });
      const end = response.body.pipeTo(writable, { signal }).catch(() => {});
      return { value: { ...answer, body: readable }, transfer: [readable], end };
    }
    const octets = await atMost(response, BODY_LIMIT);
    if (!octets) throw workerError("worker_refused", `This browser hands no streams over, so that an answer has at most ${BODY_LIMIT} octets.`);
    return { value: { ...answer, body: octets.buffer }, transfer: [octets.buffer] };
  }

  /** An answer of these holds tokens; whose they are is not for the page to choose. Userinfo (OpenID Connect Core §5.3) is an API. */
  async #refuseTokenEndpoints(url: URL): Promise<void> {
    const metadata = await this.#session.server.metadata();
    if (metadata.userinfo_endpoint && url.origin + url.pathname === new URL(metadata.userinfo_endpoint).href) return;
    const aliases = Object.entries(metadata.mtls_endpoint_aliases ?? {});
    const endpoints = [...Object.entries(metadata), ...aliases].filter(([name, value]) => typeof value === "string" && /_endpoint$|^issuer$/.test(name));
    // The whole origin: paths that a server takes for the same are many.
    if (endpoints.some(([, value]) => new URL(value as string).origin === url.origin)) {
      throw workerError("worker_refused", "The authorization server is asked by the worker alone; an API needs an origin of its own.");
    }
  }
}

/** What is answered; `end`: when a body has been handed over. */
interface Done {
  value: unknown;
  transfer?: Transferable[];
  end?: Promise<void>;
}

let streams: boolean | undefined;

/** Not every engine can. */
function handsOverStreams(): boolean {
  if (streams === undefined) {
    try {
      const stream = new ReadableStream();
      structuredClone(stream, { transfer: [stream] });
      streams = true;
    } catch {
      streams = false;
    }
  }
  return streams;
}

// What comes from the page may be anything.

function text(value: unknown): string {
  if (typeof value !== "string" || value.length > TEXT_LIMIT) throw workerError("worker_refused", `It takes texts of at most ${TEXT_LIMIT} characters.`);
  return value;
}

function pairs(value: unknown): [string, string][] {
  const all: unknown[] = Array.isArray(value) ? value : [];
  const found = all.map((pair): [string, string] => (Array.isArray(pair) ? [text(pair[0]), text(pair[1])] : [text(undefined), ""]));
  text(found.flat().join(""));
  return found;
}
