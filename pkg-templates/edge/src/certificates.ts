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
import { certificate_from_cloudflare, certificate_from_der, certificate_from_text } from "./wasm/keybound_edge.js";
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
      return readingOf(
        certificate_from_cloudflare(
          text(auth.certPresented),
          text(auth.certVerified),
          text(auth.certRevoked),
          text(auth.certRFC9440),
          text(auth.certFingerprintSHA256),
          options.allowSelfSigned === true,
        ),
      );
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
  if (typeof certificate === "string") return certificate === "" ? "!certificate_malformed" : certificate_from_text(certificate);
  if (certificate instanceof Uint8Array) return certificate_from_der(certificate);
  return certificate_from_text(text(certificate["x5t#S256"]));
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
