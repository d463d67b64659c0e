// Certificates in request fields that a platform overwrites. Each source fetches its field; the module reads it.

import { ready, readingOf } from "./certificate-reading.js";
import { core } from "./init.js";
import type { CertificateReading, CertificateSource, RequestContext } from "./types.js";

/** A source of this package: it may say which request fields its answer depends on (RFC 9440 §2.4). */
export interface FieldSource extends CertificateSource {
  readonly varies?: string;
}

/** That the platform overwrites what clients send. */
interface Trust {
  trusted: true;
}

/** As the module numbers them. */
const PLATFORM = {
  rfc9440: 0,
  envoy: 1,
  nginx: 2,
  haproxy: 3,
  traefik: 4,
  awsAlb: 5,
  awsAlbPassthrough: 6,
  cloudFront: 7,
  azureAppService: 8,
} as const;

/** To the module: no such field. */
const ABSENT = "\u0001";

const REPEATED: CertificateReading = { refused: "certificate_header_repeated" };

/** A field's values, as the caller gives them or as `Headers` joins them. */
function values(request: Request, name: string, fields: RequestContext["headers"]): readonly string[] {
  if (fields === undefined) {
    const joined = request.headers.get(name);
    return joined === null ? [] : [joined];
  }
  const lower = name.toLowerCase();
  return fields.filter(([given]) => given.toLowerCase() === lower).map(([, value]) => value);
}

/** The values of a request field, joined as `Headers` joins them; null if it is absent. */
export function field(request: Request, name: string, fields?: RequestContext["headers"]): string | null {
  if (fields === undefined) return request.headers.get(name);
  const all = values(request, name, fields);
  return all.length === 0 ? null : all.join(", ");
}

/** The source that reads one field. Only Envoy's may be there several times: it is a list. */
function source(name: string, platform: number, header: string, fromEnd = 0): FieldSource {
  return {
    name,
    varies: header,
    read(request, fields) {
      ready();
      const all = values(request, header, fields);
      if (all.length === 0) return { absent: true };
      if (all.length > 1 && platform !== PLATFORM.envoy) return REPEATED;
      const module = core();
      module.exports.certificate_from_field(module.desk, module.put(all.join(",")), platform, fromEnd);
      return readingOf(module.taken());
    },
  };
}

/** The `Client-Cert` field of RFC 9440. */
export function clientCertHeader(options: Trust): FieldSource {
  requireTrust(options, "clientCertHeader", "Client-Cert");
  return source("client-cert-header", PLATFORM.rfc9440, "Client-Cert");
}

/**
 * Envoy's `X-Forwarded-Client-Cert`, its `Hash` or `Cert`. `fromEnd` 0 (default) is the element of the nearest proxy;
 * elements from the front are the client's to shift.
 */
export function envoy(options: Trust & { fromEnd?: number }): FieldSource {
  requireTrust(options, "envoy", "X-Forwarded-Client-Cert");
  const { fromEnd = 0 } = options;
  if (!Number.isInteger(fromEnd) || fromEnd < 0 || fromEnd > 100) {
    throw new RangeError("certificates.envoy: fromEnd counts proxies from the nearest, a whole number from 0 to 100");
  }
  return source("envoy", PLATFORM.envoy, "X-Forwarded-Client-Cert", fromEnd);
}

/** nginx: a field (default `X-SSL-Client-Cert`) filled from `$ssl_client_escaped_cert`. */
export function nginx(options: Trust & { header?: string }): FieldSource {
  const header = headerOf(options, "nginx", "X-SSL-Client-Cert");
  return source("nginx", PLATFORM.nginx, header);
}

/** HAProxy: a field (default `X-SSL-Client-Cert`) filled from `%[ssl_c_der,base64]` or `%[ssl_c_der,sha2(256),hex]`. */
export function haproxy(options: Trust & { header?: string }): FieldSource {
  const header = headerOf(options, "haproxy", "X-SSL-Client-Cert");
  return source("haproxy", PLATFORM.haproxy, header);
}

/** Traefik's `X-Forwarded-Tls-Client-Cert` (`passTLSClientCert` with `pem: true`): the first certificate of the chain. */
export function traefik(options: Trust): FieldSource {
  requireTrust(options, "traefik", "X-Forwarded-Tls-Client-Cert");
  return source("traefik", PLATFORM.traefik, "X-Forwarded-Tls-Client-Cert");
}

/**
 * AWS Application Load Balancer: `X-Amzn-Mtls-Clientcert-Leaf`, which it sends in verify mode.
 * `passthrough` reads `X-Amzn-Mtls-Clientcert` instead: a chain that nobody verified, which for bound tokens is enough (RFC 8705 §6.2).
 */
export function awsAlb(options: Trust & { passthrough?: boolean }): FieldSource {
  const passthrough = options?.passthrough === true;
  const header = passthrough ? "X-Amzn-Mtls-Clientcert" : "X-Amzn-Mtls-Clientcert-Leaf";
  requireTrust(options, "awsAlb", header);
  return source("aws-alb", passthrough ? PLATFORM.awsAlbPassthrough : PLATFORM.awsAlb, header);
}

/** Amazon CloudFront's `CloudFront-Viewer-Cert-Sha256`. */
export function cloudFront(options: Trust): FieldSource {
  requireTrust(options, "cloudFront", "CloudFront-Viewer-Cert-Sha256");
  return source("cloudfront", PLATFORM.cloudFront, "CloudFront-Viewer-Cert-Sha256");
}

/** Azure App Service's `X-ARR-ClientCert`. The platform asks for a certificate and does not verify it. */
export function azureAppService(options: Trust): FieldSource {
  requireTrust(options, "azureAppService", "X-ARR-ClientCert");
  return source("azure-app-service", PLATFORM.azureAppService, "X-ARR-ClientCert");
}

/**
 * Google Cloud load balancers: the fields that the operator fills from `{client_cert_sha256_fingerprint}` (`header`),
 * `{client_cert_present}` and `{client_cert_chain_verified}`; all three are needed.
 */
export function googleCloud(options: Trust & { header: string; presentHeader?: string; verifiedHeader?: string }): FieldSource {
  const header = headerOf(options, "googleCloud");
  const present = fieldName(options.presentHeader ?? "X-Client-Cert-Present", "googleCloud", "presentHeader");
  const verified = fieldName(options.verifiedHeader ?? "X-Client-Cert-Chain-Verified", "googleCloud", "verifiedHeader");
  const names = [header, present, verified];
  return {
    name: "google-cloud",
    varies: names.join(", "),
    read(request, fields) {
      ready();
      const all = names.map((name) => values(request, name, fields));
      if (all.some((list) => list.length > 1)) return REPEATED;
      const module = core();
      module.exports.certificate_from_google(module.desk, module.putAll(...all.map((list) => list[0] ?? ABSENT)));
      return readingOf(module.taken());
    },
  };
}

function headerOf(options: Trust & { header?: string }, name: string, otherwise?: string): string {
  const header = options?.header === undefined ? otherwise : options.header;
  requireTrust(options, name, header ?? "that field");
  return fieldName(header, name, "header");
}

/** RFC 9110 §5.1. */
function fieldName(header: string | undefined, source: string, option: string): string {
  if (typeof header !== "string" || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header)) {
    throw new TypeError(`certificates.${source}: ${option} must name the request field that the platform fills`);
  }
  return header;
}

function requireTrust(options: Trust | undefined, source: string, header: string): void {
  if (options?.trusted !== true) {
    throw new TypeError(
      `certificates.${source}: pass { trusted: true } once the proxy in front overwrites what clients send in ${header}; otherwise anyone can claim any certificate`,
    );
  }
}
