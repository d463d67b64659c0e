// @ts-check
// The certificates of one run of the demo: an authority, the servers', and those that machines present. Made at start-up, kept in memory.

import { webcrypto } from "node:crypto";
import { MACHINE_NAME } from "./clients.mjs";
import "reflect-metadata";

const x509 = await import("@peculiar/x509");
x509.cryptoProvider.set(/** @type {Crypto} */ (/** @type {unknown} */ (webcrypto)));

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 24 * 60 * 60 * 1000;

/**
 * @typedef {{ key: string, cert: string }} Identity A private key and its certificate, both PEM.
 * @typedef {{ authority: string, server: Identity, machine: Identity, neighbour: Identity, lookalike: Identity }} Certificates
 * @typedef {{ subject: string, issuer: Issuer | "self", extensions?: (keys: CryptoKeyPair) => Promise<Extension[]> | Extension[] }} Order
 * @typedef {{ certificate: import("@peculiar/x509").X509Certificate, keys: CryptoKeyPair }} Issuer
 * @typedef {import("@peculiar/x509").Extension} Extension
 */

/** @returns {Promise<Certificates>} */
export async function makeCertificates() {
  const authority = await issue({ subject: "CN=Keybound Demo Authority, O=Keybound Demo", issuer: "self", extensions: authorityExtensions });
  const [server, machine, neighbour, lookalike] = await Promise.all([
    issue({ subject: "CN=localhost", issuer: authority, extensions: serverExtensions }),
    issue({ subject: "CN=nightly-backup, O=Keybound Demo", issuer: authority, extensions: machineExtensions(MACHINE_NAME) }),
    issue({ subject: "CN=report-mailer, O=Keybound Demo", issuer: authority, extensions: machineExtensions("urn:example:machine:report-mailer") }),
    // The machine's own name, but vouched for by nobody.
    issue({ subject: "CN=nightly-backup, O=Keybound Demo", issuer: "self", extensions: machineExtensions(MACHINE_NAME) }),
  ]);
  return {
    authority: authority.certificate.toString("pem"),
    server: await identity(server),
    machine: await identity(machine),
    neighbour: await identity(neighbour),
    lookalike: await identity(lookalike),
  };
}

/**
 * @param {Order} order
 * @returns {Promise<Issuer>}
 */
async function issue({ subject, issuer, extensions }) {
  const keys = /** @type {CryptoKeyPair} */ (await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]));
  const signer = issuer === "self" ? { keys, name: subject } : { keys: issuer.keys, name: issuer.certificate.subject };
  const authorityKey = issuer === "self" ? keys.publicKey : issuer.keys.publicKey;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString("hex").replace(/^./, "4"),
    subject,
    issuer: signer.name,
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + 30 * DAY),
    publicKey: keys.publicKey,
    signingKey: signer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      ...((await extensions?.(keys)) ?? []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKey),
    ],
  });
  return { certificate, keys };
}

function authorityExtensions() {
  return [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

function serverExtensions() {
  return [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }]),
  ];
}

/** @param {string} name */
function machineExtensions(name) {
  return () => [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    new x509.SubjectAlternativeNameExtension([{ type: "url", value: name }]),
  ];
}

/**
 * @param {Issuer} issued
 * @returns {Promise<Identity>}
 */
async function identity({ certificate, keys }) {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { key: x509.PemConverter.encode(pkcs8, "PRIVATE KEY"), cert: certificate.toString("pem") };
}
