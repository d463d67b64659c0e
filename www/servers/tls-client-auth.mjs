// @ts-check
// What Cloudflare reports about a client certificate: the `request.cf.tlsClientAuth` of a worker, made from a real handshake.
// https://developers.cloudflare.com/ssl/client-certificates/client-certificate-variables/

import { X509Certificate } from "node:crypto";
import "reflect-metadata";

const x509 = await import("@peculiar/x509");

/** The report when no certificate was presented. Presented, verified and revoked are strings: "0" is truthy in JavaScript. */
const ABSENT = {
  certPresented: "0",
  certVerified: "NONE",
  certRevoked: "0",
  certIssuerDN: "",
  certSubjectDN: "",
  certIssuerDNRFC2253: "",
  certSubjectDNRFC2253: "",
  certIssuerDNLegacy: "",
  certSubjectDNLegacy: "",
  certSerial: "",
  certIssuerSerial: "",
  certSKI: "",
  certIssuerSKI: "",
  certFingerprintSHA1: "",
  certFingerprintSHA256: "",
  certNotBefore: "",
  certNotAfter: "",
  certRFC9440: "",
  certRFC9440TooLarge: false,
  certChainRFC9440: "",
  certChainRFC9440TooLarge: false,
};

/** Above this the encoded certificate is left out, and `certRFC9440TooLarge` says so. */
const LARGEST_RFC9440 = 10 * 1024;

/** OpenSSL's codes in the words that come after "FAILED:". */
const FAILURES = new Map([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "self signed certificate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "self signed certificate in certificate chain"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to verify the first certificate"],
  ["CERT_NOT_YET_VALID", "certificate is not yet valid"],
  ["CERT_HAS_EXPIRED", "certificate has expired"],
]);

/**
 * What a connection tells; a TLSSocket has it.
 * @typedef {{ authorized: boolean, authorizationError?: Error | string | null, getPeerCertificate(detailed: true): { raw?: Buffer, issuerCertificate?: { raw?: Buffer } } }} Connection
 */

/**
 * @param {Connection} socket A connection on which the server asked for a certificate.
 * @returns {typeof ABSENT}
 */
export function tlsClientAuth(socket) {
  const peer = socket.getPeerCertificate(true);
  if (!peer?.raw) return ABSENT;

  const certificate = new X509Certificate(peer.raw);
  const issuer = peer.issuerCertificate?.raw;
  const encoded = rfc9440(peer.raw);
  return {
    ...ABSENT,
    certPresented: "1",
    certVerified: socket.authorized ? "SUCCESS" : failure(socket.authorizationError),
    certIssuerDN: name(certificate.issuer, ", "),
    certSubjectDN: name(certificate.subject, ", "),
    certIssuerDNRFC2253: name(certificate.issuer, ","),
    certSubjectDNRFC2253: name(certificate.subject, ","),
    certIssuerDNLegacy: legacyName(certificate.issuer),
    certSubjectDNLegacy: legacyName(certificate.subject),
    certSerial: certificate.serialNumber,
    certIssuerSerial: issuer ? new X509Certificate(issuer).serialNumber : "",
    certSKI: subjectKeyIdentifier(peer.raw),
    certIssuerSKI: issuer ? subjectKeyIdentifier(issuer) : "",
    certFingerprintSHA1: hex(certificate.fingerprint),
    certFingerprintSHA256: hex(certificate.fingerprint256),
    certNotBefore: certificate.validFrom,
    certNotAfter: certificate.validTo,
    certRFC9440: encoded.length > LARGEST_RFC9440 ? "" : encoded,
    certRFC9440TooLarge: encoded.length > LARGEST_RFC9440,
  };
}

/**
 * The certificate as a structured field's byte sequence (RFC 9440 §2.1).
 * @param {Buffer} der
 */
export function rfc9440(der) {
  return `:${der.toString("base64")}:`;
}

/** @param {Error | string | null | undefined} error Node's types say Error; at run time it is OpenSSL's code. */
function failure(error) {
  const code = String(error ?? "");
  return `FAILED:${FAILURES.get(code) ?? code.toLowerCase().replaceAll("_", " ")}`;
}

/** @param {string} distinguished One attribute a line, as Node gives it. @param {string} separator */
function name(distinguished, separator) {
  return distinguished.split("\n").join(separator);
}

/** @param {string} distinguished */
function legacyName(distinguished) {
  return distinguished.split("\n").map((attribute) => `/${attribute}`).join("");
}

/** @param {string} colons */
function hex(colons) {
  return colons.replaceAll(":", "").toLowerCase();
}

/** @param {Buffer} der */
function subjectKeyIdentifier(der) {
  return new x509.X509Certificate(new Uint8Array(der)).getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? "";
}
