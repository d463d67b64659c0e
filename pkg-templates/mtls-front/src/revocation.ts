// Lists of revoked certificates (RFC 5280 §5), looked at here and not by OpenSSL: with a list given to it, it reports of a
// self-signed certificate that its list is missing, and no longer what Cloudflare says of it.

import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { chainOf, type Connection } from "./connection.js";

const BLOCK = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/**
 * What the lists, PEM one after another, know of a certificate, DER. The lists are taken as they are: they are the
 * operator's own. Throws a TypeError if there is none.
 */
export function readRevocationLists(pem: string): (der: Buffer) => boolean {
  const lists = (pem.match(BLOCK) ?? []).map((block) => new x509.X509Crl(block));
  if (lists.length === 0) throw new TypeError("crl: give revocation lists as PEM (-----BEGIN X509 CRL-----)");
  const revoked = new Set(lists.flatMap(({ issuer, entries }) => entries.map(({ serialNumber }) => `${issuer}/${normalized(serialNumber)}`)));
  return (der) => {
    const { issuer, serialNumber } = new x509.X509Certificate(new Uint8Array(der));
    return revoked.has(`${issuer}/${normalized(serialNumber)}`);
  };
}

/** The connection as it is with those lists: a certificate is revoked that holds otherwise, or whose authority is. */
export function withRevocation(connection: Connection, isRevoked: (der: Buffer) => boolean): Connection {
  if (!connection.authorized || !chainOf(connection).some(isRevoked)) return connection;
  return { authorized: false, authorizationError: "CERT_REVOKED", getPeerCertificate: () => connection.getPeerCertificate(true) };
}

function normalized(serialNumber: string): string {
  return serialNumber.toLowerCase().replace(/^0+/, "");
}
