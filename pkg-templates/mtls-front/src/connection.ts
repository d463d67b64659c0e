// What a TLS connection tells of its client: the certificates, and whether they hold.

/** A server's end of a connection; a `TLSSocket` is one. */
export interface Connection {
  readonly authorized: boolean;
  readonly authorizationError?: unknown;
  getPeerCertificate(detailed: true): PeerCertificate | null;
}

interface PeerCertificate {
  readonly raw?: Buffer;
  readonly issuerCertificate?: PeerCertificate;
}

/** DER: the client's own certificate, then its issuers' as far as they are known. Empty: none was presented. */
export function chainOf(connection: Connection): Buffer[] {
  const chain: Buffer[] = [];
  let certificate = connection.getPeerCertificate(true) ?? undefined;
  // A root is its own issuer.
  while (certificate?.raw !== undefined && !chain.some((der) => certificate?.raw?.equals(der))) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

/** Whether the presented certificate holds. */
export function verification({ authorized, authorizationError }: Connection): "verified" | "revoked" | "unverified" {
  if (authorized) return "verified";
  return String(authorizationError) === "CERT_REVOKED" ? "revoked" : "unverified";
}
