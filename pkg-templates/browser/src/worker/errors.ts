// Errors of the worker mode, and how they cross over to the page.

import { KeyboundError, type KeyboundErrorCode, type WorkerErrorCode } from "../errors.js";

const TEXTS: Record<WorkerErrorCode, string> = {
  worker_refused: "The worker does not do this.",
  worker_gone: "The worker did not start, or it is gone, and the session with it. Connect a new one and log in again.",
  worker_controlled:
    "A service worker controls this worker and would see its tokens. Serve the worker's script from a folder of its own that no service worker covers.",
};

export function workerError(code: WorkerErrorCode, more = "", cause?: unknown): KeyboundError {
  return new KeyboundError(code, cause, more ? `${TEXTS[code]} ${more}` : TEXTS[code]);
}

/** An error as a message: what it says, and nothing that may hold a token. */
export interface Failure {
  code: KeyboundErrorCode | undefined;
  text: string;
  /** What the authorization server says (RFC 6749 §5.2). */
  said: { error: string; error_description: string | undefined } | undefined;
}

export function toFailure(error: unknown): Failure {
  const known = error instanceof KeyboundError ? error : undefined;
  const { error: said, error_description: more } = (known?.cause ?? {}) as { error?: unknown; error_description?: unknown };
  return {
    code: known?.code,
    text: error instanceof Error ? error.message : String(error),
    said: typeof said === "string" ? { error: said, error_description: typeof more === "string" ? more : undefined } : undefined,
  };
}

/** Of what has no code of ours, fetch makes a TypeError: the network. */
export function fromFailure({ code, text, said }: Failure): Error {
  return code ? new KeyboundError(code, said, text) : new TypeError(text);
}
