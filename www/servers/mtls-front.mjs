// @ts-check
// The TLS fronts of the demo: @keybound/mtls-front, once as Cloudflare stands before a worker, once before the authorization server.

import { DemoFailure } from "./failure.mjs";

const { CertificateAuthority, REPORTS, createFront, selfSigned, tlsClientAuth } = await import("../../dist/mtls-front/index.js").catch((cause) => {
  throw new DemoFailure("dist/mtls-front is missing", { cause, fix: "cargo xtask build" });
});
export { CertificateAuthority, selfSigned, tlsClientAuth };

/** The header whose JSON becomes `request.cf` in workerd. Only the front's own socket reads it. */
export const CF_HEADER = "x-demo-cf";

/**
 * @typedef {import("../../dist/mtls-front/index.js").Identity} Identity
 * @typedef {import("../../dist/mtls-front/index.js").Report} Report
 * @typedef {{ authority: string, server: Identity }} Trust
 */

/**
 * @param {Trust} trust
 * @param {Report} report
 * @param {() => number} target The port of the server behind, on loopback.
 * @param {import("./failure.mjs").ServerLog} log
 */
export function createMtlsFront({ authority, server }, report, target, log) {
  return createFront({ ...server, ca: authority, report, target: () => `http://127.0.0.1:${target()}`, onError: (message) => log.add(message) });
}

/** For workerd: the `request.cf` that Cloudflare would give. */
export const reportToWorker = REPORTS.cloudflare({ header: CF_HEADER });

/**
 * For the authorization server: the certificate in the field of RFC 9440 if the authority vouches for it, else none.
 * @type {Report}
 */
export const reportToAuthorizationServer = {
  fields: REPORTS["client-cert"]().fields,
  of: (connection, request) => REPORTS["client-cert"]().of(connection, request) ?? {},
};
