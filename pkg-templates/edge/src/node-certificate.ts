// The client certificate of the TLS connection that a request came over (RFC 8705 §2).

import { readingOf } from "./certificate-reading.js";
import { readCertificate } from "./certificates.js";
import { WireRequest, type Connection } from "./node-request.js";
import type { CertificateReading, CertificateSource } from "./types.js";

/** Options of {@link peerCertificate}. */
export interface PeerCertificateOptions {
  /**
   * Lets that one verification failure pass (RFC 8705 §2.2), never an expired, revoked or otherwise unverified certificate.
   * With `crl` set, Node calls a self-signed one UNABLE_TO_GET_CRL, and it is refused all the same.
   */
  allowSelfSigned?: boolean;
}

/** The source behind {@link peerCertificate}, known by its class. */
class PeerCertificate implements CertificateSource {
  readonly name = "peer-certificate";
  readonly #allowSelfSigned: boolean;

  constructor(options: PeerCertificateOptions) {
    this.#allowSelfSigned = options.allowSelfSigned === true;
  }

  read(request: Request): CertificateReading {
    if (!(request instanceof WireRequest)) throw new TypeError("peerCertificate() works with the servers of @keybound/edge/node");
    const { connection } = request;
    if (connection.encrypted !== true) return { absent: true };
    const certificate = connection.getPeerX509Certificate?.();
    // Asked first: a resumed session without a certificate counts as authorized.
    if (certificate === undefined || certificate === null) return { absent: true };
    if (connection.authorized !== true && !(this.#allowSelfSigned && isSelfSigned(connection))) {
      return { refused: connection.authorizationError === "CERT_REVOKED" ? "certificate_revoked" : "certificate_unverified" };
    }
    return readingOf(readCertificate(certificate.raw));
  }
}

/**
 * The certificate of the TLS connection itself, for servers of node:https and node:http2 with `requestCert: true`. It
 * must have been verified against the server's `ca`. On a TLS connection it alone decides: no later source of the list
 * is asked, so that a field cannot stand in for it. Leave it out where the connection is that of a proxy.
 */
export function peerCertificate(options: PeerCertificateOptions = {}): CertificateSource {
  return new PeerCertificate(options);
}

/** The sources, of which those after the connection's own are asked on plain connections only. */
export function behindPeer(sources: readonly CertificateSource[]): readonly CertificateSource[] {
  const at = sources.findIndex((source) => source instanceof PeerCertificate);
  if (at < 0) return sources;
  return sources.map((source, index) => (index <= at ? source : onPlainConnections(source)));
}

function onPlainConnections(source: CertificateSource): CertificateSource {
  return {
    ...source,
    name: source.name,
    read: (request, fields) =>
      request instanceof WireRequest && request.connection.encrypted === true ? { absent: true } : source.read(request, fields),
  };
}

/** Of several failures OpenSSL reports the last: that one is expired or revoked goes before this. */
function isSelfSigned({ authorizationError }: Connection): boolean {
  return authorizationError === "DEPTH_ZERO_SELF_SIGNED_CERT";
}
