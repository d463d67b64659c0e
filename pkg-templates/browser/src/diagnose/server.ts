// What a page of another origin meets at a server: reach, preflight, hidden fields, nonces, the clock.

import type { DiagnosisCheck } from "./index.js";
import { ask, bad, check, type Finding, good, NO_TOKEN, pageOrigin, PATIENCE } from "./check.js";
import { hearRefusals, type Refusals } from "./policy.js";
import { EXPOSE, KeyboundError } from "../errors.js";
import type { KeyboundEvent } from "../events.js";
import { keepNonces, type NonceStore } from "../nonces.js";

/** Seconds that clocks may differ by, and proofs are still taken: half of what servers commonly allow. */
const TOLERATED_SKEW = 30;

/** A server, and a request that it refuses. */
export interface Server {
  /** Before the names of its checks. */
  name: string;
  url: URL;
  role: "as" | "rs";
  /** Makes the request, with a proof but without a token, as an application would. */
  send(seam: Seam): Promise<Response>;
  /** The same without proof, so that no preflight is needed. */
  plain: RequestInit;
  /** The fields for which a preflight has to ask. */
  fields: readonly string[];
  /** What else may be the reason that this page may not ask. */
  hint?: string;
}

/** What a client takes instead of its own, to be watched. */
export interface Seam {
  nonces: NonceStore;
  fetch: typeof fetch;
  onEvent(event: KeyboundEvent): void;
  signal: AbortSignal;
}

/** What was seen. */
export interface Seen {
  response?: Response;
  /** What the client made of it, if that was an error. */
  error?: unknown;
  /** The server asked for a nonce. */
  challenged: boolean;
  /** This page cannot read whether there is one. */
  hidden: boolean;
  nonce?: string;
  /** By how many seconds the server's clock is ahead. */
  skew?: number;
}

/** Its checks, and further ones of what was seen. */
export async function serverChecks(server: Server, more: (seen: Seen) => Promise<DiagnosisCheck[]>): Promise<DiagnosisCheck[]> {
  const { name } = server;
  const seen: Seen = { challenged: false, hidden: false };
  const first = "First do what the checks of the browser say: without a key and the module there is no proof to send.";
  const reach = await check(`${name}: reach`, first, () => reachOf(server, seen), 2.5 * PATIENCE);
  if (!seen.response) return [reach];
  const [seenThere, further] = await Promise.all([
    Promise.all(
      Object.entries({ CORS: exposed, nonces, clock }).map(([subject, look]) => check(`${name}: ${subject}`, first, () => look(server, seen))),
    ),
    more(seen),
  ]);
  return [reach, ...seenThere, ...further];
}

async function reachOf(server: Server, seen: Seen): Promise<Finding> {
  const refusals = hearRefusals();
  try {
    await send(server, seen);
    const { response, error } = seen;
    if (response) return refusalOf(server, response);
    const code = error instanceof KeyboundError ? error.code : "aborted";
    if (code === "invalid_url") {
      return bad(`${server.url.href} is neither https nor on a loopback host`, `Serve it over https, and name it so: https://${server.url.host}`);
    }
    // One of our own errors, not the network's: nothing was sent.
    if (code !== "aborted") throw error;
    return await whyUnreachable(server, String(error), refusals);
  } finally {
    refusals.end();
  }
}

async function send(server: Server, seen: Seen): Promise<void> {
  const store = keepNonces();
  const watched: typeof fetch = async (...request) => {
    const asked = Date.now();
    const response = await fetch(...request);
    const at = Date.parse(response.headers.get("date") ?? "");
    // Said somewhere between question and answer, in whole seconds.
    if (!Number.isNaN(at)) seen.skew = Math.round((at + 500 - (asked + Date.now()) / 2) / 1000);
    return (seen.response = response);
  };
  const onEvent = ({ type }: KeyboundEvent): void => {
    if (type === "retry") seen.challenged = true;
    if (type === "nonce_hidden") seen.hidden = true;
  };
  try {
    await server.send({ nonces: store, signal: AbortSignal.timeout(PATIENCE), fetch: watched, onEvent });
  } catch (error) {
    seen.error = error;
    if (error instanceof KeyboundError && error.code === "nonce_hidden") seen.hidden = true;
  }
  const nonce = await store.get(server.role, server.url.origin);
  if (nonce !== undefined) seen.nonce = nonce;
}

/** A refusal is what is wanted: all that a page needs to read is in it. */
function refusalOf({ url, role }: Server, { ok, status, type }: Response): Finding {
  const what = role === "rs" ? "token" : "code";
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) {
    return bad(
      `${url.href} redirects, and token and proof are not sent on`,
      "In this page: request the final URL. Often it is https for http, or a / at the end that is missing.",
    );
  }
  if (status === 404 || status === 405 || status === 410 || status >= 500) {
    return bad(
      `status ${status}`,
      role === "rs"
        ? "In this call of diagnose: give the URL of something that GET reads and that wants a token."
        : `At the authorization server: nobody serves its token_endpoint, ${url.href}.`,
    );
  }
  if (!ok) return good(`status ${status}, as it should be for something that is no ${what}`);
  return bad(
    `status ${status} for something that is no ${what}`,
    role === "rs"
      ? "At the API: nobody checks tokens there. Protect it; or give diagnose the URL of something that wants a token."
      : "At the authorization server: it gives tokens for anything.",
  );
}

/** A browser says nothing of why a request failed: other requests are made, which need less and less. */
async function whyUnreachable(server: Server, error: string, refusals: Refusals): Promise<Finding> {
  const { url, plain, fields, hint = "" } = server;
  const { origin } = url;
  const [opaque, simple, single] = await Promise.all([
    ask(url, { ...plain, mode: "no-cors", redirect: "follow" }),
    ask(url, plain),
    Promise.all(fields.map((field) => ask(url, { ...plain, headers: { [field]: NO_TOKEN } }))),
  ]);
  const refused = await refusals.of(origin);
  if (refused) return refused;
  const allowOrigin = `Access-Control-Allow-Origin: ${pageOrigin()}`;
  if (!opaque.response && !simple.response) {
    return bad(
      `${origin} does not answer: ${error}`,
      `Start the server at ${origin}, or correct its URL; and open it in a tab of its own, to see whether its certificate is good.`,
    );
  }
  if (!simple.response) {
    return bad(`${origin} answers, and this page may not read it`, `${hint}At ${origin}, in every answer, errors included:\n${allowOrigin}`);
  }
  const missing = fields.filter((_, index) => !single[index]?.response);
  const allowFields = `Access-Control-Allow-Headers: ${fields.join(", ")}`;
  return missing.length > 0 && missing.length < fields.length
    ? bad(
        `the answer to OPTIONS ${url.pathname} does not allow ${missing.join(", ")}`,
        `At ${origin}, in the answer to OPTIONS (a * there does not stand for Authorization):\n${allowFields}`,
      )
    : bad(
        `the answer to OPTIONS ${url.pathname} does not let this page ask`,
        `${hint}At ${origin}, in the answer to OPTIONS, which brings no token and is to be answered with 204 all the same:\n${allowOrigin}\n${allowFields}`,
      );
}

function exposed({ url, role }: Server, { response, hidden, skew }: Seen): Finding {
  if (response?.type !== "cors") return good("the same origin: nothing is hidden");
  const line = `At ${url.origin}, in every answer, errors included:\n${EXPOSE}`;
  // RFC 9110 §11.6.1: a 401 has one. A token endpoint says what it wants in the body.
  if (role === "rs" && response.status === 401 && response.headers.get("www-authenticate") === null) {
    return bad("WWW-Authenticate is hidden from this page, or is not there", line);
  }
  if (hidden) return bad("DPoP-Nonce is hidden from this page", line);
  return skew === undefined ? good("this page reads all that it has to; only Date is hidden", line) : good("this page reads all that it has to, and Date");
}

function nonces({ url, role }: Server, { error, hidden, challenged, nonce }: Seen): Finding {
  if (error instanceof KeyboundError && error.code === "nonce_rejected") {
    const ours = role === "rs" ? " (in @keybound/edge: nonce.secrets)" : "";
    return bad(
      "the server asks for a nonce again after it got the one it gave",
      `At ${url.origin}: take the nonces that were given in the last minutes (RFC 9449 §8). Machines behind one name need one secret ` +
        `to make them from${ours}, and no cache may keep these answers (Cache-Control: no-store).`,
    );
  }
  if (hidden) return bad("this page cannot read whether there is a nonce", `At ${url.origin}, in every answer, errors included:\n${EXPOSE}`);
  if (challenged) return good("the server asked for a nonce, and took the one it gave");
  return good(nonce === undefined ? "the server asked for none" : "the server gave one, and did not ask for it");
}

function clock({ url }: Server, { response, skew }: Seen): Finding {
  if (skew === undefined) {
    const line = response?.type === "cors" ? EXPOSE : "Date: (now)";
    return good("not seen: Date is hidden, or is not there", `At ${url.origin}, in every answer, so that pages can learn its clock:\n${line}`);
  }
  if (Math.abs(skew) <= TOLERATED_SKEW) return good(`within ${TOLERATED_SKEW} s of the server's`);
  const [here, there] = [0, skew].map((seconds) => new Date(Date.now() + seconds * 1000).toUTCString());
  return bad(
    `the server's is ${Math.abs(skew)} s ${skew > 0 ? "ahead of" : "behind"} this machine's`,
    `Set the clock of this machine, or that of ${url.origin}, by the network, whichever is wrong: it is ${here} here, and ${there} there.`,
  );
}
