// Where platforms report the client's certificate. Each source fetches a field; the module reads it.

import { isReady } from "./init.js";
import {
  certificate_from_client_cert,
  certificate_from_cloudflare,
  certificate_from_der,
  certificate_from_text,
} from "./wasm/keybound_edge.js";
import type { CertificateReading, CertificateSource, ClientCertificate, RequestContext } from "./types.js";

/** A source of this package: it may say which request field its answer depends on (RFC 9440 §2.4). */
export interface FieldSource extends CertificateSource {
  readonly varies?: string;
}

/** `request.cf.tlsClientAuth`, all of it strings. */
interface TlsClientAuth {
  certPresented?: unknown;
  certVerified?: unknown;
  certRevoked?: unknown;
  certRFC9440?: unknown;
  certFingerprintSHA256?: unknown;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function ready(): void {
  if (!isReady()) throw new Error("call and await init() of @keybound/edge before reading a certificate by hand");
}

/** A reading as the module writes it: empty, `!` and a code, or the thumbprint. */
export function readingOf(written: string): CertificateReading {
  if (written === "") return { absent: true };
  if (written.startsWith("!")) return { refused: written.slice(1) };
  return { certificate: { "x5t#S256": written } };
}

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

/** The values of a request field, joined as `Headers` joins them; null if it is absent. */
export function field(request: Request, name: string, fields?: RequestContext["headers"]): string | null {
  if (fields === undefined) return request.headers.get(name);
  const values = fields.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? null : values.join(", ");
}

function clientCertHeader(options: { trusted: true }): FieldSource {
  requireTrust(options, "clientCertHeader", "Client-Cert");
  return {
    name: "client-cert-header",
    varies: "Client-Cert",
    read(request, fields) {
      ready();
      const value = field(request, "client-cert", fields);
      return value === null ? { absent: true } : readingOf(certificate_from_client_cert(value));
    },
  };
}

function requireTrust(options: { trusted: true } | undefined, source: string, header: string): void {
  if (options?.trusted !== true) {
    throw new TypeError(
      `certificates.${source}: pass { trusted: true } once the proxy in front overwrites what clients send in ${header}; otherwise anyone can claim any certificate`,
    );
  }
}

function from(read: (request: Request) => string | Uint8Array | null): CertificateSource {
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
  /** The `Client-Cert` field of RFC 9440. */
  clientCertHeader,
  /** PEM or DER that the caller got from its TLS layer: Node, Fastly, API Gateway. */
  from,
};
