// What Cloudflare reports about a client's certificate: `request.cf.tlsClientAuth`, made from a real handshake.
// https://developers.cloudflare.com/ssl/client-certificates/client-certificate-variables/

import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { chainOf, verification, type Connection } from "./connection.js";

/** Presented, verified and revoked are strings: in JavaScript "0" is true. */
export interface TlsClientAuth {
  certPresented: "0" | "1";
  /** "SUCCESS", "NONE", or "FAILED:" and why. */
  certVerified: string;
  certRevoked: "0" | "1";
  certIssuerDN: string;
  certSubjectDN: string;
  certIssuerDNRFC2253: string;
  certSubjectDNRFC2253: string;
  certIssuerDNLegacy: string;
  certSubjectDNLegacy: string;
  certSerial: string;
  certIssuerSerial: string;
  certSKI: string;
  certIssuerSKI: string;
  certFingerprintSHA1: string;
  certFingerprintSHA256: string;
  certNotBefore: string;
  certNotAfter: string;
  certRFC9440: string;
  certRFC9440TooLarge: boolean;
  certChainRFC9440: string;
  certChainRFC9440TooLarge: boolean;
}

const ABSENT: TlsClientAuth = {
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

/** Above these the values are left out, and the field beside them says so. */
const LARGEST = { certificate: 10 * 1024, chain: 16 * 1024 };

/** OpenSSL's codes in the words that come after "FAILED:". */
const FAILURES: ReadonlyMap<string, string> = new Map([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "self signed certificate"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "self signed certificate in certificate chain"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to verify the first certificate"],
  ["CERT_NOT_YET_VALID", "certificate is not yet valid"],
  ["CERT_HAS_EXPIRED", "certificate has expired"],
]);

/** The report about a connection on which the server asked for a certificate. */
export function tlsClientAuth(connection: Connection): TlsClientAuth {
  const [leaf, issuer, ...others] = chainOf(connection);
  if (leaf === undefined) return ABSENT;

  const state = verification(connection);
  const { subject, issuer: issuerName, serialNumber, fingerprint, fingerprint256, validFrom, validTo } = new X509Certificate(leaf);
  const certificate = limited(rfc9440(leaf), LARGEST.certificate);
  const above = [issuer, ...others].filter((der) => der !== undefined).filter((der) => !isRoot(der));
  const chain = limited(above.map(rfc9440).join(", "), LARGEST.chain);
  return {
    certPresented: "1",
    // Revoked certificates count as verified; the other field says the rest.
    certVerified: state === "verified" || state === "revoked" ? "SUCCESS" : `FAILED:${failure(connection)}`,
    certRevoked: state === "revoked" ? "1" : "0",
    certIssuerDN: backwards(issuerName, ", "),
    certSubjectDN: backwards(subject, ", "),
    certIssuerDNRFC2253: backwards(issuerName, ","),
    certSubjectDNRFC2253: backwards(subject, ","),
    certIssuerDNLegacy: slashes(issuerName),
    certSubjectDNLegacy: slashes(subject),
    certSerial: serialNumber,
    certIssuerSerial: issuer === undefined ? "" : new X509Certificate(issuer).serialNumber,
    certSKI: subjectKeyIdentifier(leaf),
    certIssuerSKI: issuer === undefined ? "" : subjectKeyIdentifier(issuer),
    certFingerprintSHA1: hex(fingerprint),
    certFingerprintSHA256: hex(fingerprint256),
    certNotBefore: validFrom,
    certNotAfter: validTo,
    certRFC9440: certificate.text,
    certRFC9440TooLarge: certificate.isTooLarge,
    certChainRFC9440: chain.text,
    certChainRFC9440TooLarge: chain.isTooLarge,
  };
}

/** A certificate as a structured field's byte sequence (RFC 9440 §2.1). */
export function rfc9440(der: Buffer): string {
  return `:${der.toString("base64")}:`;
}

function limited(text: string, largest: number): { text: string; isTooLarge: boolean } {
  const isTooLarge = text.length > largest;
  return { text: isTooLarge ? "" : text, isTooLarge };
}

function isRoot(der: Buffer): boolean {
  const { subject, issuer } = new X509Certificate(der);
  return subject === issuer;
}

function failure({ authorizationError }: Connection): string {
  // Node's types say Error; at run time it is OpenSSL's code.
  const code = String(authorizationError ?? "");
  return FAILURES.get(code) ?? code.toLowerCase().replaceAll("_", " ");
}

/** RFC 2253 §2.1: the last attribute first. Node gives one a line, as they stand in the certificate. */
function backwards(name: string, separator: string): string {
  return name.split("\n").reverse().join(separator);
}

function slashes(name: string): string {
  return name.split("\n").map((attribute) => `/${attribute}`).join("");
}

function hex(colons: string): string {
  return colons.replaceAll(":", "").toLowerCase();
}

/** `BB:AF:...`, or nothing. */
function subjectKeyIdentifier(der: Buffer): string {
  const keyId = new x509.X509Certificate(new Uint8Array(der)).getExtension(x509.SubjectKeyIdentifierExtension)?.keyId ?? "";
  return (keyId.match(/../g) ?? []).join(":").toUpperCase();
}
