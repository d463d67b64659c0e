// Where platforms report the client's certificate. Each source fetches what the platform gives; the module reads it.

import {
  awsAlb,
  azureAppService,
  clientCertHeader,
  cloudFront,
  envoy,
  googleCloud,
  haproxy,
  nginx,
  traefik,
} from "./certificate-fields.js";
import { readingOf, ready } from "./certificate-reading.js";
import { core } from "./init.js";
import type { CertificateSource, ClientCertificate } from "./types.js";

/** `request.cf.tlsClientAuth`, all of it strings. */
interface TlsClientAuth {
  certPresented?: unknown;
  certVerified?: unknown;
  certRevoked?: unknown;
  certRFC9440?: unknown;
  certFingerprintSHA256?: unknown;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function cloudflare(options: { allowSelfSigned?: boolean } = {}): CertificateSource {
  return {
    name: "cloudflare",
    read(request) {
      ready();
      const auth = (request as { cf?: { tlsClientAuth?: TlsClientAuth } }).cf?.tlsClientAuth;
      if (auth === undefined || auth === null) return { absent: true };
      const module = core();
      const { certPresented, certVerified, certRevoked, certRFC9440, certFingerprintSHA256 } = auth;
      const length = module.putAll(...[certPresented, certVerified, certRevoked, certRFC9440, certFingerprintSHA256].map(text));
      module.exports.certificate_from_cloudflare(module.desk, length, options.allowSelfSigned === true);
      return readingOf(module.taken());
    },
  };
}

function from(read: (request: Request) => string | Uint8Array | null): CertificateSource {
  if (typeof read !== "function") throw new TypeError("certificates.from: give a function that returns a request's certificate, or null");
  return {
    name: "from",
    read(request) {
      ready();
      const certificate = read(request);
      return certificate === null ? { absent: true } : readingOf(readCertificate(certificate));
    },
  };
}

/** A certificate of the caller's own TLS layer, as the module writes readings. */
export function readCertificate(certificate: ClientCertificate | Uint8Array | string): string {
  if (certificate === "") return "!certificate_malformed";
  const module = core();
  const { exports, desk } = module;
  if (certificate instanceof Uint8Array) exports.certificate_from_der(desk, module.put(certificate));
  else exports.certificate_from_text(desk, module.put(typeof certificate === "string" ? certificate : text(certificate["x5t#S256"])));
  return module.taken();
}

/**
 * One source a platform. Those that read a header take `{ trusted: true }`: the caller states that
 * the platform overwrites what clients send (RFC 9440 §4).
 */
export const certificates = {
  /**
   * Cloudflare's `request.cf.tlsClientAuth`: presented, verified, not revoked.
   * `allowSelfSigned` (RFC 8705 §2.2) lets that one verification failure pass, never an expired or revoked certificate.
   */
  cloudflare,
  clientCertHeader,
  envoy,
  nginx,
  haproxy,
  traefik,
  awsAlb,
  cloudFront,
  azureAppService,
  googleCloud,
  /** PEM or DER that the caller got from its TLS layer: Node, Fastly, API Gateway. */
  from,
};
