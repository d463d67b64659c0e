// The certificates of a front, kept in a folder, so that they are the same the next time.

import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CertificateAuthority, selfSigned, type Identity } from "./authority.js";

/** The clients whose certificates there are. */
const CLIENTS = ["good", "other", "self-signed", "expired", "revoked"] as const;
type Client = (typeof CLIENTS)[number];

/** What is in the folder. */
export interface CertificateFolder {
  /** The authority of the server and of the clients, PEM. */
  ca: string;
  /** What it revoked, PEM. */
  crl: string;
  server: Identity;
  /** `other` is as good as `good`; the rest fail as their names say. */
  clients: Readonly<Record<Client, Identity>>;
  /** Where an identity's files are; curl takes them as `--cert` and `--key`. */
  files(client: Client): { cert: string; key: string };
  /** For curl's `--cacert`. */
  caFile: string;
  /** False: they were there. */
  isNew: boolean;
}

const DAY = 24 * 60 * 60 * 1000;
const SERVER_NAMES = [
  { type: "dns", value: "localhost" },
  { type: "dns", value: "*.localhost" },
  { type: "ip", value: "127.0.0.1" },
  { type: "ip", value: "::1" },
] as const;

/** Reads the folder's certificates; makes it and them, where they are missing or run out within a day. The authority's key is not kept. */
export async function openCertificates(folder: string): Promise<CertificateFolder> {
  const found = await read(folder);
  const made = found ?? (await write(folder, await make()));
  const files = (client: Client): { cert: string; key: string } => ({ cert: join(folder, `${client}.pem`), key: join(folder, `${client}.key`) });
  return { ...made, files, caFile: join(folder, "ca.pem"), isNew: found === null };
}

type Contents = Pick<CertificateFolder, "ca" | "crl" | "server" | "clients">;

async function make(): Promise<Contents> {
  const authority = await CertificateAuthority.create({ subject: "CN=Local development authority" });
  const client = (name: string): string => `CN=${name} client, O=Local development`;
  const past = { notBefore: new Date(Date.now() - 10 * DAY), notAfter: new Date(Date.now() - 5 * DAY) };
  const clients = {
    good: await authority.issueClient({ subject: client("good") }),
    other: await authority.issueClient({ subject: client("other") }),
    "self-signed": await selfSigned({ subject: client("self-signed") }),
    expired: await authority.issueClient({ subject: client("expired"), ...past }),
    revoked: await authority.issueClient({ subject: client("revoked") }),
  };
  authority.revoke(clients.revoked);
  const server = await authority.issueServer({ subject: "CN=localhost", names: SERVER_NAMES });
  return { ca: authority.certificate, crl: await authority.revocationList(), server, clients };
}

async function write(folder: string, contents: Contents): Promise<Contents> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const identities = Object.entries({ server: contents.server, ...contents.clients });
  const files = [
    // Keys do not belong into a repository, not even these.
    [".gitignore", "*\n"],
    ["ca.pem", contents.ca],
    ["crl.pem", contents.crl],
    ...identities.flatMap(([name, { cert, key }]) => [[`${name}.pem`, cert], [`${name}.key`, key]]),
  ];
  for (const [name = "", text = ""] of files) {
    const file = join(folder, name);
    await writeFile(file, text, { mode: 0o600 });
    await chmod(file, 0o600); // also where it was there already
  }
  return contents;
}

/** Null: not all of it is there, or not for much longer. */
async function read(folder: string): Promise<Contents | null> {
  const text = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
  const identity = async (name: string): Promise<Identity> => ({ cert: await text(`${name}.pem`), key: await text(`${name}.key`) });
  try {
    const clients = Object.fromEntries(await Promise.all(CLIENTS.map(async (name) => [name, await identity(name)] as const)));
    const contents = { ca: await text("ca.pem"), crl: await text("crl.pem"), server: await identity("server"), clients: clients as Record<Client, Identity> };
    const lasting = [contents.ca, contents.server.cert, contents.clients.good.cert, contents.clients.other.cert];
    return lasting.every((pem) => Date.parse(new X509Certificate(pem).validTo) > Date.now() + DAY) ? contents : null;
  } catch (error) {
    // Missing, or not a certificate. That the folder cannot be used, writing will say.
    if (error instanceof Error) return null;
    throw error;
  }
}
