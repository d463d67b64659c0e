// @ts-check
// The certificates of one run of the demo: an authority, the servers', and those that machines present. Made at start-up, kept in memory.

import { MACHINE_NAME } from "./clients.mjs";
import { CertificateAuthority, selfSigned } from "./mtls-front.mjs";

/**
 * @typedef {import("./mtls-front.mjs").Identity} Identity
 * @typedef {{ authority: string, server: Identity, machine: Identity, neighbour: Identity, lookalike: Identity }} Certificates
 */

/** @returns {Promise<Certificates>} */
export async function makeCertificates() {
  const authority = await CertificateAuthority.create({ subject: "CN=Keybound Demo Authority, O=Keybound Demo" });
  const names = [/** @type {const} */ ({ type: "dns", value: "localhost" }), /** @type {const} */ ({ type: "ip", value: "127.0.0.1" })];
  const machine = { subject: "CN=nightly-backup, O=Keybound Demo", names: machineName(MACHINE_NAME) };
  return {
    authority: authority.certificate,
    server: await authority.issueServer({ subject: "CN=localhost", names }),
    machine: await authority.issueClient(machine),
    neighbour: await authority.issueClient({ subject: "CN=report-mailer, O=Keybound Demo", names: machineName("urn:example:machine:report-mailer") }),
    // The machine's own name, but vouched for by nobody.
    lookalike: await selfSigned(machine),
  };
}

/** @param {string} value */
function machineName(value) {
  return [/** @type {const} */ ({ type: "url", value })];
}
