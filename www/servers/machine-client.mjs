// @ts-check
// A machine client, for real over TLS: it gets a token bound to its certificate (RFC 8705), then calls the API with that token
// and with whatever certificate it is told to present.

import { X509Certificate, createHash } from "node:crypto";
import { Agent, request as httpsRequest } from "node:https";
import { MACHINE_CLIENT } from "./clients.mjs";
import { CF_HEADER, tlsClientAuth } from "./mtls-front.mjs";

/** What a caller of the API may present along with the machine's token; "forged": no certificate, but a header that claims the right one. */
export const PRESENTED = /** @type {const} */ (["own", "neighbour", "lookalike", "none", "forged"]);

/**
 * @typedef {typeof PRESENTED[number]} Presented
 * @typedef {{ call(presented: Presented): Promise<Observation> }} MachineClient
 * @typedef {object} Observation
 * @property {{ subject: string, issuer: string, thumbprint: string } | null} certificate What was presented.
 * @property {Record<string, any>} token The access token's claims.
 * @property {{ method: string, url: string }} request
 * @property {{ status: number, challenge: string | null, body: any }} response
 * @typedef {{ cert?: string, key?: string }} Credentials
 */

/**
 * @param {object} options
 * @param {import("./certificates.mjs").Certificates} options.certificates
 * @param {string} options.issuer
 * @param {string} options.apiOrigin Of the front that asks for certificates.
 * @param {string} options.resource
 * @returns {MachineClient}
 */
export function createMachineClient({ certificates, issuer, apiOrigin, resource }) {
  const ca = certificates.authority;
  /** @type {Record<Presented, Credentials>} */
  const credentials = { own: certificates.machine, neighbour: certificates.neighbour, lookalike: certificates.lookalike, none: {}, forged: {} };
  /** @type {string | undefined} */
  let token;

  return {
    async call(presented) {
      // The token is asked for once, with the machine's own certificate: what follows is the same token in other hands.
      if (token === undefined || claimsOf(token).exp < Date.now() / 1000 + 30) token = await obtainToken({ ca, ...certificates.machine }, issuer, resource);
      const request = { method: "GET", url: new URL("/notes", apiOrigin).href };
      // RFC 8705 §3: certificate-bound tokens go under the Bearer scheme; there is none of their own.
      const fields = { authorization: `Bearer ${token}`, ...(presented === "forged" ? { [CF_HEADER]: forgedReport(certificates.machine.cert) } : {}) };
      const { status, headers, text } = await send(request, { ca, ...credentials[presented] }, fields);
      return {
        certificate: describe(credentials[presented].cert),
        token: claimsOf(token),
        request,
        response: { status, challenge: headers["www-authenticate"] ?? null, body: JSON.parse(text) },
      };
    },
  };
}

/**
 * A client credentials grant, authenticated by the certificate alone (RFC 8705 §2.1).
 * @param {Credentials & { ca: string }} tls
 * @param {string} issuer
 * @param {string} resource
 * @returns {Promise<string>}
 */
async function obtainToken(tls, issuer, resource) {
  const metadata = await (await fetch(new URL("/.well-known/oauth-authorization-server", issuer))).json();
  const url = metadata.mtls_endpoint_aliases?.token_endpoint ?? metadata.token_endpoint; // RFC 8705 §5
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: MACHINE_CLIENT, scope: "notes:read", resource });
  const { status, text } = await send({ method: "POST", url }, tls, { "content-type": "application/x-www-form-urlencoded" }, String(body));
  if (status !== 200) throw new Error(`the authorization server answered the machine with ${status}: ${text}`);
  return JSON.parse(text).access_token;
}

/**
 * One request over a connection of its own, so that each one proves its certificate anew.
 * @param {{ method: string, url: string }} target
 * @param {Credentials & { ca: string }} tls
 * @param {Record<string, string>} headers
 * @param {string} [body]
 * @returns {Promise<{ status: number, headers: import("node:http").IncomingHttpHeaders, text: string }>}
 */
function send({ method, url }, tls, headers, body) {
  const agent = new Agent({ ...tls, keepAlive: false, maxCachedSessions: 0 });
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { method, agent, headers, timeout: 10_000 }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${url}`)));
    request.on("error", reject);
    request.end(body);
  });
}

/** The header of the TLS front, as somebody would write it who knows it and the machine's certificate, but has not its key. @param {string} pem */
function forgedReport(pem) {
  const { raw } = new X509Certificate(pem);
  return JSON.stringify({ tlsClientAuth: tlsClientAuth({ authorized: true, getPeerCertificate: () => ({ raw }) }) });
}

/** @param {string} [pem] @returns {Observation["certificate"]} */
function describe(pem) {
  if (pem === undefined) return null;
  const { raw, subject, issuer } = new X509Certificate(pem);
  const oneLine = (/** @type {string} */ name) => name.split("\n").join(", ");
  return { subject: oneLine(subject), issuer: oneLine(issuer), thumbprint: createHash("sha256").update(raw).digest("base64url") };
}

/** @param {string} jwt */
function claimsOf(jwt) {
  return JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString());
}
