// @keybound/mtls-front: mutual TLS for development and tests. Never for production: its authority vouches for anybody.

export { CertificateAuthority, selfSigned, thumbprintOf, type AlternativeName, type Identity, type Order } from "./authority.js";
export { openCertificates, type CertificateFolder } from "./folder.js";
export { createFront, type FrontOptions } from "./front.js";
export { REPORTS, type Connection, type Report, type ReportName, type ReportOptions } from "./reports.js";
export { tlsClientAuth, type TlsClientAuth } from "./tls-client-auth.js";
