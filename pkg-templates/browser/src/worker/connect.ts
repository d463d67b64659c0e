// In the page: asks the worker, and makes of its answers what fetch gives.

import { KeyboundError } from "../errors.js";
import type { KeyboundEvent } from "../events.js";
import { atMost } from "../replay.js";
import type { SessionEvent } from "../session/events.js";
import type { LogoutOptions, SessionInfo } from "../session/options.js";
import { fromFailure, workerError } from "./errors.js";
import { type Answer, type Ask, BODY_LIMIT, HELLO, type Question, type Reply } from "./messages.js";
import { openWindow, returned } from "./popup.js";

/** What is known of the worker's session. It holds no token. */
export type WorkerStatus = SessionInfo;

/** What the worker tells: as a session's events, without the `cause` of a failure. */
export type WorkerEvent = Exclude<SessionEvent, { type: "revocation_failed" }> | { type: "revocation_failed" } | KeyboundEvent;

/** How a login begins. */
export interface WorkerLogin {
  /** `prompt`, `login_hint`, `acr_values`, `max_age`, `ui_locales`, `display`; others stand in the worker's script. */
  parameters?: Record<string, string> | URLSearchParams;
  /** Where the person logs in, instead of a new window: one that is open already, or a frame's `contentWindow`. */
  window?: Window;
}

/** A session that lives in a worker. */
export interface WorkerSession {
  /** As `fetch`, carried out by the worker with its token, and only to its `origins`. It takes method, headers, body and signal. */
  readonly fetch: typeof fetch;
  /** Logs in, in a window of its own. Call it at a click. */
  login(options?: WorkerLogin): Promise<WorkerStatus>;
  /** The address of the authorization request, for a window that the application opens by itself. It serves one login. */
  loginUrl(options?: Pick<WorkerLogin, "parameters">): Promise<URL>;
  /** Finishes that login, with the address that the authorization server sent the window back to. */
  finishLogin(url: string | URL): Promise<WorkerStatus>;
  /** Null: nobody is logged in. */
  status(): Promise<WorkerStatus | null>;
  /** As a session's `logout`. */
  logout(options?: LogoutOptions): Promise<URL | null>;
  /** Ends the worker: key and tokens are gone. */
  close(): void;
}

/** How long a worker may take to start. */
const PATIENCE = 30_000;

/** Takes the worker over, whose script calls `serveWorker`. Only the first who does gets it. `worker_gone` if it does not start. */
export async function connectWorker(worker: Worker, { onEvent }: { onEvent?: (event: WorkerEvent) => void } = {}): Promise<WorkerSession> {
  const { port1, port2 } = new MessageChannel();
  const line = new Line(port1, onEvent);
  const started = line.wait(0);
  const fail = (cause?: unknown): void => line.end(workerError("worker_gone", "", cause));
  worker.addEventListener("error", fail, { once: true });
  worker.postMessage(HELLO, [port2]);
  const timer = setTimeout(fail, PATIENCE);
  try {
    const life = await started;
    // Free as soon as the worker is no more, whoever ended it.
    if (typeof life === "string") navigator.locks?.request(life, () => fail()).catch(() => {});
  } finally {
    clearTimeout(timer);
    worker.removeEventListener("error", fail);
  }

  const begin = ({ parameters }: WorkerLogin): Promise<string> => line.ask({ type: "begin", parameters: [...new URLSearchParams(parameters)] });
  const finish = (url: string): Promise<WorkerStatus> => line.ask({ type: "finish", url });
  return {
    fetch: (input, init) => send(line, input, init),
    async login(options = {}) {
      const target = options.window ?? openWindow();
      try {
        return await finish(await returned(target, await begin(options)));
      } catch (error) {
        if (!options.window) target.close();
        throw error;
      }
    },
    loginUrl: async (options = {}) => new URL(await begin(options)),
    finishLogin: (url) => finish(String(url)),
    status: () => line.ask({ type: "status" }),
    async logout({ postLogoutRedirectUri: back } = {}) {
      const url = await line.ask<string | null>({ type: "logout", back: back && String(back) });
      return url === null ? null : new URL(url);
    },
    close() {
      worker.terminate();
      fail();
    },
  };
}

async function send(line: Line, input: RequestInfo | URL, init: RequestInit | undefined): Promise<Response> {
  const request = new Request(input, init);
  const { method, url, signal } = request;
  // Some engines do not show `Request.body`: then reading tells.
  const isEmpty = /^(GET|HEAD)$/.test(method) || request.body === null;
  const octets = isEmpty ? new Uint8Array() : await atMost(request, BODY_LIMIT);
  if (!octets) throw workerError("worker_refused", `A body has at most ${BODY_LIMIT} octets.`);
  const body = octets.length ? octets.buffer : undefined;
  const ask: Ask = { type: "fetch", method, url, headers: [...request.headers], body };
  const answer = await line.ask<Answer>(ask, body && [body], signal);
  const { body: content, status, statusText, headers } = answer;
  // The worker ends a stream with the caller's patience; one that is gone would leave it open.
  const shown = content instanceof ReadableStream ? content.pipeThrough(new TransformStream(), { signal: line.gone }) : content;
  const response = new Response(shown, { status, statusText, headers });
  Object.defineProperty(response, "url", { value: answer.url });
  return response;
}

/** A question that waits for its answer, or for the end of an answer's body. */
interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  forget?: () => void;
}

/** Questions and answers over one port. */
class Line {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  readonly #gone = new AbortController();
  #last = 0;
  #ended: KeyboundError | undefined;

  constructor(port: MessagePort, onEvent: ((event: WorkerEvent) => void) | undefined) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<Reply>) => {
      if ("event" in data) return onEvent?.(data.event as WorkerEvent);
      if ("ended" in data) {
        this.#waiting.get(data.ended)?.forget?.();
        this.#waiting.delete(data.ended);
      } else if ("failure" in data) this.#waiting.get(data.id)?.reject(fromFailure(data.failure));
      else this.#waiting.get(data.id)?.resolve(data.value);
    };
  }

  /** Aborted when the worker is gone. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async ask<T>(ask: Ask, transfer: Transferable[] = [], signal?: AbortSignal): Promise<T> {
    const id = ++this.#last;
    const answer = this.wait(id, signal);
    if (!signal?.aborted && !this.#ended) this.#port.postMessage({ id, ask } satisfies Question, transfer);
    return (await answer) as T;
  }

  wait(id: number, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      const abort = (): void => {
        reject(new KeyboundError("aborted", signal?.reason));
        this.#port.postMessage({ id } satisfies Question);
      };
      if (signal?.aborted) return reject(new KeyboundError("aborted", signal.reason));
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(id, { resolve, reject, forget: () => signal?.removeEventListener("abort", abort) });
    });
  }

  end(error: KeyboundError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#gone.abort(error);
    for (const { reject, forget } of this.#waiting.values()) {
      forget?.();
      reject(error);
    }
    this.#waiting.clear();
    this.#port.close();
  }
}
