// What the checks of a diagnosis share: how one ends, whatever happens, and how servers are asked.

import type { DiagnosisCheck } from "./index.js";
import { DpopKey, generate, type SigningAlgorithm } from "../key.js";

/** A check without its name. */
export type Finding = Omit<DiagnosisCheck, "name">;

/** How long one request, or one thing of the browser, may take. */
export const PATIENCE = 8000;

/** What stands where a token or a code would: no server takes it. */
export const NO_TOKEN = "keybound-diagnosis";

export const good = (detail: string, fix?: string): Finding => ({ ok: true, detail, ...(fix !== undefined && { fix }) });
export const bad = (detail: string, fix: string): Finding => ({ ok: false, detail, fix });

/** The check, which neither throws nor hangs; `fix` is for what nobody thought of. */
export async function check(
  name: string,
  fix: string,
  look: () => Finding | Promise<Finding>,
  patience = PATIENCE,
): Promise<DiagnosisCheck> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(bad(`no answer within ${patience / 1000} s`, fix)), patience);
  });
  try {
    return { name, ...(await Promise.race([(async () => look())(), late])) };
  } catch (error) {
    return { name, ...bad(String(error), fix) };
  } finally {
    clearTimeout(timer);
  }
}

/** The URL, if it is one. */
export function urlOf(value: unknown, base?: string | URL): URL | undefined {
  try {
    return new URL(value as string, base);
  } catch {
    return undefined;
  }
}

/** This page, as servers have to name it. */
export const pageOrigin = (): string => globalThis.location?.origin ?? "*";

/** The request's answer, or why there is none. Redirects are shown, not followed. */
export async function ask(url: URL | string, init?: RequestInit): Promise<{ response?: Response; error?: unknown }> {
  try {
    const usual: RequestInit = { redirect: "manual", cache: "no-store", credentials: "omit" };
    return { response: await fetch(url, { ...usual, ...init, signal: AbortSignal.timeout(PATIENCE) }) };
  } catch (error) {
    return { error };
  }
}

/** A document of metadata, or what is wrong with it. */
export interface Published {
  url: string;
  metadata?: Record<string, unknown>;
  /** `absent`: the server says that there is none. */
  problem?: "absent" | "unreachable" | "no JSON";
  detail: string;
}

/** Reads a JSON object that a server publishes. */
export async function published(url: URL): Promise<Published> {
  const { href } = url;
  const { response, error } = await ask(url, { headers: { accept: "application/json" } });
  if (!response) return { url: href, problem: "unreachable", detail: `${href}: ${String(error)}` };
  if (!response.ok) {
    return { url: href, problem: "absent", detail: `${href}: ${response.type === "opaqueredirect" ? "a redirect" : `status ${response.status}`}` };
  }
  try {
    const metadata: unknown = JSON.parse(await response.text());
    if (typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)) {
      return { url: href, metadata: metadata as Record<string, unknown>, detail: href };
    }
  } catch {
    // Said below; also of a body that does not end.
  }
  return { url: href, problem: "no JSON", detail: `${href}: ${response.headers.get("content-type") ?? "no type"}, and no JSON object` };
}

/** The texts in a member of metadata that is a list; undefined where it is none. */
export const listOf = (value: unknown): string[] | undefined =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : undefined;

const ALGORITHMS: readonly SigningAlgorithm[] = ["ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519"];

let trying: Promise<SigningAlgorithm[]> | undefined;

/** Of which algorithms this browser makes keys. Made, not asked for: that a name is known says nothing. */
export function supported(): Promise<SigningAlgorithm[]> {
  // Checks that run at one time try once; the next diagnosis tries anew.
  trying ??= attempts().finally(() => (trying = undefined));
  return trying;
}

async function attempts(): Promise<SigningAlgorithm[]> {
  const known = await Promise.all(ALGORITHMS.map((algorithm) => generate(algorithm).then(() => true, () => false)));
  return ALGORITHMS.filter((_, index) => known[index]);
}

/** A key for the moment, which is nowhere stored. */
export const passingKey = async (): Promise<DpopKey> => DpopKey.from(await generate("ES256"));

/** What both know, and what to change where that is nothing. `where` is the server's own list. */
export async function overlap(offered: readonly string[], key: DpopKey | undefined, where: string): Promise<Finding> {
  const known = await supported();
  // RFC 9864: one key, two names.
  const takes = (algorithm: string): boolean => offered.includes(algorithm) || (algorithm === "Ed25519" && offered.includes("EdDSA"));
  const common = known.filter(takes);
  const takesNow = `it takes ${offered.join(", ") || "none"}`;
  if (key && !takes(key.algorithm)) {
    const other = common[0] && `In this page: DpopKey.open(name, { algorithm: ${JSON.stringify(common[0])} }), with a name that is new. Or `;
    return bad(`${takesNow}; the key is for ${key.algorithm}`, `${other ?? ""}${where}: add ${JSON.stringify(key.algorithm)}`);
  }
  if (common.length > 0) return good(`both know ${common.join(", ")}`);
  return bad(`${takesNow}; this browser signs with ${known.join(", ") || "none"}`, `${where}: add "ES256", which every browser knows`);
}
