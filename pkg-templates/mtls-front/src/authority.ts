// A throw-away certificate authority (RFC 5280): certificates of clients, servers and lower authorities, and what it revoked.

import "reflect-metadata";
import { X509Certificate as NodeCertificate, createHash, createPrivateKey, createPublicKey, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** A private key and its certificate, both PEM. Behind the certificate stand those of lower authorities, if there are any. */
export interface Identity {
  cert: string;
  key: string;
}

/** A name beside the subject's, such as `{ type: "dns", value: "localhost" }`. */
export interface AlternativeName {
  type: "dns" | "ip" | "url" | "email";
  value: string;
}

/** What certificate to make. */
export interface Order {
  /** A distinguished name: `CN=nightly-backup, O=Example`. */
  subject: string;
  names?: readonly AlternativeName[];
  /** Default "EC": P-256. "RSA" has 2048 bits. */
  keyType?: "EC" | "RSA";
  /** A private key (PKCS #8, PEM) to use in place of a new one: so a certificate is renewed. */
  key?: string;
  /** Default: yesterday. */
  notBefore?: Date;
  /** Default: in a year. */
  notAfter?: Date;
}

const DAY = 24 * 60 * 60 * 1000;
const ALGORITHMS = {
  EC: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RSA: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
} as const;

/** A certificate, and the key to sign others with. */
interface Issued {
  certificate: x509.X509Certificate;
  keys: CryptoKeyPair;
}

/** An authority, root or below one. */
export class CertificateAuthority {
  readonly #issued: Issued;
  /** The lower authorities, this one first, without the root. */
  readonly #chain: string;
  readonly #revoked: { serialNumber: string; revocationDate: Date }[] = [];

  private constructor(issued: Issued, chain: string) {
    this.#issued = issued;
    this.#chain = chain;
  }

  /** A root: it vouches for itself. */
  static async create(order: Order): Promise<CertificateAuthority> {
    return new CertificateAuthority(await issue(order, "self", authorityExtensions), "");
  }

  /** Its certificate, PEM. */
  get certificate(): string {
    return pemOf(this.#issued.certificate);
  }

  /** An authority below this one. */
  async createAuthority(order: Order): Promise<CertificateAuthority> {
    const issued = await issue(order, this.#issued, authorityExtensions);
    return new CertificateAuthority(issued, pemOf(issued.certificate) + this.#chain);
  }

  /** A certificate that clients present. */
  issueClient(order: Order): Promise<Identity> {
    return this.#issue(order, x509.ExtendedKeyUsage.clientAuth);
  }

  /** A certificate for a server; `names` are those that clients know it by. */
  issueServer(order: Order & { names: readonly AlternativeName[] }): Promise<Identity> {
    return this.#issue(order, x509.ExtendedKeyUsage.serverAuth);
  }

  /** Puts a certificate of this authority on its list of the revoked ones. */
  revoke({ cert }: Identity): void {
    this.#revoked.push({ serialNumber: new NodeCertificate(cert).serialNumber, revocationDate: new Date() });
  }

  /** That list, PEM (RFC 5280 §5). Servers that check revocation want one of every authority of a chain. */
  async revocationList(): Promise<string> {
    const { certificate, keys } = this.#issued;
    const list = await x509.X509CrlGenerator.create({
      issuer: certificate.subject,
      thisUpdate: new Date(Date.now() - DAY),
      nextUpdate: certificate.notAfter,
      entries: this.#revoked,
      signingKey: keys.privateKey,
      signingAlgorithm: signatureOf(keys.privateKey),
    });
    return `${x509.PemConverter.encode(list.rawData, "X509 CRL")}\n`;
  }

  async #issue(order: Order, usage: string): Promise<Identity> {
    const issued = await issue(order, this.#issued, () => [new x509.ExtendedKeyUsageExtension([usage])]);
    return identityOf(issued, this.#chain);
  }
}

/** A client's certificate that nobody vouches for (RFC 8705 §2.2). */
export async function selfSigned(order: Order): Promise<Identity> {
  return identityOf(await issue(order, "self", () => [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]), "");
}

/** What a token of the certificate is bound to: `x5t#S256` (RFC 8705 §3.1). */
export function thumbprintOf(certificate: string): string {
  return createHash("sha256").update(new NodeCertificate(certificate).raw).digest("base64url");
}

async function issue(order: Order, issuer: Issued | "self", extensions: () => x509.Extension[]): Promise<Issued> {
  const keys = await keysFor(order);
  const signer = issuer === "self" ? keys : issuer.keys;
  const names = order.names === undefined ? [] : [new x509.SubjectAlternativeNameExtension([...order.names])];
  const certificate = await x509.X509CertificateGenerator.create({
    // Positive, and without leading zeros, whatever the dice say (RFC 5280 §4.1.2.2).
    serialNumber: `4${randomBytes(16).toString("hex").slice(1)}`,
    subject: order.subject,
    issuer: issuer === "self" ? order.subject : issuer.certificate.subject,
    notBefore: order.notBefore ?? new Date(Date.now() - DAY),
    notAfter: order.notAfter ?? new Date(Date.now() + 365 * DAY),
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: signatureOf(signer.privateKey),
    extensions: [
      ...extensions(),
      ...names,
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey),
    ],
  });
  return { certificate, keys };
}

function authorityExtensions(): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

async function keysFor({ key, keyType = "EC" }: Order): Promise<CryptoKeyPair> {
  if (key === undefined) return (await webcrypto.subtle.generateKey(ALGORITHMS[keyType], true, ["sign", "verify"])) as CryptoKeyPair;
  const privateKey = createPrivateKey(key);
  const algorithm = ALGORITHMS[privateKey.asymmetricKeyType === "rsa" ? "RSA" : "EC"];
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return {
    privateKey: (await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"])) as CryptoKey,
    publicKey: (await webcrypto.subtle.importKey("spki", spki, algorithm, true, ["verify"])) as CryptoKey,
  };
}

function signatureOf({ algorithm }: CryptoKey): EcdsaParams {
  return { name: algorithm.name, hash: "SHA-256" };
}

async function identityOf({ certificate, keys }: Issued, chain: string): Promise<Identity> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`, cert: pemOf(certificate) + chain };
}

/** With the line's end, so that several can follow one another. */
function pemOf(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
