// What an authorization server's answer says (RFC 6749 §5.1, §5.2).

import { patienceOf } from "./patience.js";
import { atMost } from "./replay.js";

/** The members that decide; those that are not there, or no text, are undefined. */
export interface TokenAnswer {
  error: string | undefined;
  tokenType: string | undefined;
  /** Any text, if there is an access token. */
  token: string | undefined;
  /** When a token in it was made, seconds since 1970; NaN where that cannot be seen. */
  issued: number;
}

/** No answer of a token endpoint is larger, or takes longer from its first octet to its last. */
const LIMIT = 1024 * 1024;
const PATIENCE = 30_000;

/** Reads it; `aborted` if it does not end. */
export async function readTokenAnswer(answer: Response): Promise<TokenAnswer> {
  // The head was there in time; a body may still trickle for ever.
  const end = AbortSignal.timeout(PATIENCE);
  const json = members(await patienceOf(end).wait(atMost(answer, LIMIT, end)));
  const text = (name: string): string | undefined => (typeof json[name] === "string" ? json[name] : undefined);
  return {
    error: text("error"),
    tokenType: text("token_type"),
    token: json["access_token"] === undefined ? undefined : "there",
    issued: issuedAt(text("id_token") ?? text("access_token")),
  };
}

function members(octets: Uint8Array | undefined): Record<string, unknown> {
  // Too large: nobody looked whether there is a token, so it counts as one that is not bound.
  if (!octets) return { access_token: 0 };
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(octets));
    return Object(json) === json ? (json as Record<string, unknown>) : {};
  } catch {
    // No JSON: then no token and no error that could be acted on.
    return {};
  }
}

/** When a fresh JWT was made (RFC 7519 §4.1.6); NaN where that cannot be seen. */
export function issuedAt(token: string | undefined): number {
  try {
    return Number((JSON.parse(atob(token!.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"))) as { iat?: number }).iat);
  } catch {
    return NaN;
  }
}
