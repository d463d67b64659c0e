// What a session's errors tell a person to do.

import { AuthorizationResponseError, ResponseBodyError } from "oauth4webapi";
import { KeyboundError, type SessionErrorCode } from "../errors.js";

const TEXTS: Record<SessionErrorCode, string> = {
  login_unknown: "No such login here: site data were cleared, or it began elsewhere. Start a new login.",
  login_cancelled: "The person refused the login.",
  login_refused: "The authorization server refused the login.",
  login_invalid: "This is no answer of the authorization server. Start a new login.",
  grant_refused: "The authorization server refused the tokens. Start a new login.",
  server_failed: "The authorization server gave no proper answer. Nothing is lost: try again.",
};

export function sessionError(code: SessionErrorCode, cause?: unknown): KeyboundError {
  const { error, error_description: more } = (cause ?? {}) as { error?: string; error_description?: string };
  return new KeyboundError(code, cause, TEXTS[code] + (error ? ` It says ${error}${more ? `: ${more}` : ""}.` : ""));
}

/** The error of an answer to a login (RFC 6749 §4.1.2.1). */
export function answerError(error: unknown): KeyboundError {
  if (!(error instanceof AuthorizationResponseError)) return sessionError("login_invalid", error);
  return sessionError(error.error === "access_denied" ? "login_cancelled" : "login_refused", error);
}

/** What the authorization server gives, or one of our errors. */
export async function asking<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof KeyboundError && error.code !== "aborted") throw error;
    throw sessionError(error instanceof ResponseBodyError && error.status !== 429 ? "grant_refused" : "server_failed", error);
  }
}
