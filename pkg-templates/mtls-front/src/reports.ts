// How platforms tell the server behind them about a client's certificate. One row a platform.

import { X509Certificate, createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { chainOf, verification, type Connection } from "./connection.js";
import { rfc9440, tlsClientAuth } from "./tls-client-auth.js";

export type { Connection } from "./connection.js";

/** One way to tell. */
export interface Report {
  /** The request fields that are the front's: whatever a client sends under these names goes. */
  readonly fields: readonly string[];
  /** What to send in their place. Null: this platform serves nobody with such a certificate. */
  of(connection: Connection, request: IncomingMessage): Readonly<Record<string, string>> | null;
}

export interface ReportOptions {
  /** The request field to fill, where the platform leaves its name to the operator: `cloudflare`, `nginx`, `haproxy`, `haproxy-hex`, `google`. */
  header?: string;
}

export type ReportName = keyof typeof REPORTS;

/** Each makes a report; the documents are those of the platforms. */
export const REPORTS = {
  /** Everything in `request.cf`, which wrangler and workerd (`cfBlobHeader`) read from a field. */
  cloudflare({ header = "MF-CF-Blob" }: ReportOptions = {}): Report {
    return {
      fields: [header],
      of: (connection, { headers }) => ({
        [header]: asciiJson({
          tlsClientAuth: tlsClientAuth(connection),
          // Without it wrangler compresses answers that nobody asked to be compressed.
          clientAcceptEncoding: headers["accept-encoding"] ?? "",
        }),
      }),
    };
  },
  /** RFC 9440. */
  "client-cert": () => verifiedOnly(["Client-Cert", "Client-Cert-Chain"], (leaf) => ({ "Client-Cert": rfc9440(leaf) })),
  /** `forward_client_cert_details: SANITIZE_SET`, with the hash, the certificate and the subject. */
  envoy: () =>
    verifiedOnly(["X-Forwarded-Client-Cert"], (leaf) => {
      const subject = new X509Certificate(leaf).subject.split("\n").reverse().join(",");
      const quoted = subject.replace(/[\\"]/g, "\\$&");
      return { "X-Forwarded-Client-Cert": `Hash=${sha256(leaf, "hex")};Cert="${encodeURIComponent(pem(leaf))}";Subject="${latin1(quoted)}"` };
    }),
  /** `$ssl_client_escaped_cert`. */
  nginx: ({ header = "X-SSL-Client-Cert" }: ReportOptions = {}) => verifiedOnly([header], (leaf) => ({ [header]: encodeURIComponent(pem(leaf)) })),
  /** `%[ssl_c_der,base64]`. */
  haproxy: ({ header = "X-SSL-Client-Cert" }: ReportOptions = {}) => verifiedOnly([header], (leaf) => ({ [header]: leaf.toString("base64") })),
  /** `%[ssl_c_der,sha2(256),hex]`. */
  "haproxy-hex": ({ header = "X-SSL-Client-Cert" }: ReportOptions = {}) =>
    verifiedOnly([header], (leaf) => ({ [header]: sha256(leaf, "hex").toUpperCase() })),
  /** `passTLSClientCert` with `pem: true`: the chain as it was sent. */
  traefik: () =>
    verifiedOnly(["X-Forwarded-Tls-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info"], (leaf, chain) => ({
      "X-Forwarded-Tls-Client-Cert": [leaf, ...chain].map((der) => der.toString("base64")).join(","),
    })),
  /** Verify mode. */
  "aws-alb": () => verifiedOnly(AWS_FIELDS, (leaf) => ({ "X-Amzn-Mtls-Clientcert-Leaf": awsPem([leaf]) })),
  /** Passthrough mode: nobody verified anything. */
  "aws-alb-passthrough": () => everybody(AWS_FIELDS, (leaf, chain) => ({ "X-Amzn-Mtls-Clientcert": awsPem([leaf, ...chain]) })),
  cloudfront: () => verifiedOnly(["CloudFront-Viewer-Cert-Sha256"], (leaf) => ({ "CloudFront-Viewer-Cert-Sha256": sha256(leaf, "hex") })),
  /** App Service asks for a certificate, and verifies none. */
  azure: () => everybody(["X-ARR-ClientCert"], (leaf) => ({ "X-ARR-ClientCert": leaf.toString("base64") })),
  /** Custom fields of a load balancer that lets invalid and missing certificates pass. */
  google({ header = "X-Client-Cert-Hash" }: ReportOptions = {}): Report {
    return {
      fields: [header, "X-Client-Cert-Present", "X-Client-Cert-Chain-Verified"],
      of(connection) {
        const [leaf] = chainOf(connection);
        const isVerified = leaf !== undefined && verification(connection) === "verified";
        return {
          "X-Client-Cert-Present": String(leaf !== undefined),
          "X-Client-Cert-Chain-Verified": String(isVerified),
          [header]: leaf === undefined ? "" : sha256(leaf, "base64").replace(/=+$/, ""),
        };
      },
    };
  },
} satisfies Record<string, (options?: ReportOptions) => Report>;

const AWS_FIELDS = ["X-Amzn-Mtls-Clientcert-Leaf", "X-Amzn-Mtls-Clientcert"];

type Writer = (leaf: Buffer, chain: Buffer[]) => Record<string, string>;

/** A platform that turns away clients whose certificate does not hold, and lets those without one pass. */
function verifiedOnly(fields: readonly string[], write: Writer): Report {
  const { of } = everybody(fields, write);
  return {
    fields,
    of: (connection, request) => (chainOf(connection).length > 0 && verification(connection) !== "verified" ? null : of(connection, request)),
  };
}

function everybody(fields: readonly string[], write: Writer): Report {
  return {
    fields,
    of(connection) {
      const [leaf, ...chain] = chainOf(connection);
      return leaf === undefined ? {} : write(leaf, chain.filter((der) => !isRoot(der)));
    },
  };
}

function isRoot(der: Buffer): boolean {
  const { subject, issuer } = new X509Certificate(der);
  return subject === issuer;
}

function sha256(der: Buffer, encoding: "hex" | "base64"): string {
  return createHash("sha256").update(der).digest(encoding);
}

function pem(der: Buffer): string {
  return new X509Certificate(der).toString();
}

/** `+`, `=` and `/` stand as they are. */
function awsPem(chain: Buffer[]): string {
  return encodeURIComponent(chain.map(pem).join("")).replace(/%2B/g, "+").replace(/%3D/g, "=").replace(/%2F/g, "/");
}

/** The octets of UTF-8 as Node writes them into a field. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** JSON that fits into a field whatever a certificate's names hold. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
