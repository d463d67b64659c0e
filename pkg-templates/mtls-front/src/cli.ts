#!/usr/bin/env node
// `npx @keybound/mtls-front`: starts a front in a terminal, and says how to try it.

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { thumbprintOf } from "./authority.js";
import { openCertificates, type CertificateFolder } from "./folder.js";
import { checkedTarget, createFront } from "./front.js";
import { REPORTS, type ReportName } from "./reports.js";

const HELP = `Mutual TLS for development: ends TLS, asks for a client certificate, and tells your server about it as a platform would.

usage: mtls-front --target http://localhost:8787 [options]

  --target URL    where your server (wrangler dev, workerd, ...) listens
  --report NAME   how it is told: ${Object.keys(REPORTS).join(", ")} (default: cloudflare)
  --header NAME   the request field to fill, where the platform leaves its name to you: cloudflare (default MF-CF-Blob,
                  which wrangler dev reads; for workerd what its cfBlobHeader names), nginx, haproxy, google
  --host NAME     where to listen (default: localhost)
  --port NUMBER   (default: 8443; 0: any that is free)
  --dir FOLDER    where the certificates are kept (default: .mtls-front)
  --help
`;

const OPTIONS = {
  target: { type: "string" },
  report: { type: "string", default: "cloudflare" },
  header: { type: "string" },
  host: { type: "string", default: "localhost" },
  port: { type: "string", default: "8443" },
  dir: { type: "string", default: ".mtls-front" },
  help: { type: "boolean", default: false },
} as const;

/** What the person at the terminal can change. */
class Mistake extends Error {}

async function main(): Promise<void> {
  const { help, target, report, header, host, port, dir } = readArguments();
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  if (target === undefined) throw new Mistake("--target is missing: where does your server listen? For wrangler dev that is http://localhost:8787");
  if (!isReportName(report)) throw new Mistake(`--report ${report}: there is none of that name; choose from ${Object.keys(REPORTS).join(", ")}`);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Mistake(`--port ${port}: a number from 0 to 65535, please`);
  if (header !== undefined && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header)) throw new Mistake(`--header ${header}: that cannot be a field's name`);

  // Before certificates are made.
  checkedTarget(target);
  const certificates = await openCertificates(resolve(dir)).catch((error: unknown) => {
    throw new Mistake(`--dir ${dir}: ${error instanceof Error ? error.message : String(error)}`);
  });
  const { server: own, ca, crl } = certificates;
  const server = createFront({
    target,
    report: REPORTS[report](header === undefined ? {} : { header }),
    ...own,
    ca,
    crl,
    onError: (message) => process.stderr.write(`${message}\n`),
  });
  server.once("error", (error: NodeJS.ErrnoException) => {
    const why = error.code === "EADDRINUSE" ? `port ${port} is taken: choose another with --port` : error.message;
    fail(`cannot listen on ${host}: ${why}`);
  });
  server.listen(Number(port), host, () => {
    const address = server.address();
    const origin = `https://${host.includes(":") ? `[${host}]` : host}:${typeof address === "object" && address !== null ? address.port : port}`;
    process.stdout.write(introduction(origin, target, report, certificates));
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
}

function introduction(origin: string, target: string, report: ReportName, { clients, files, caFile, isNew }: CertificateFolder): string {
  const names = Object.keys(clients) as (keyof typeof clients)[];
  const lines = names.map((name) => `  ${name.padEnd(12)} x5t#S256 ${thumbprintOf(clients[name].cert)}  ${files(name).cert}`);
  const { cert, key } = files("good");
  return `${origin} -> ${target} (${report})

Client certificates (${isNew ? "made just now" : "made earlier"}; the keys stand beside them):
${lines.join("\n")}

  curl --cacert '${caFile}' --cert '${cert}' --key '${key}' ${origin}/

For development only: this authority vouches for anybody who can read its folder.
`;
}

function readArguments() {
  try {
    return parseArgs({ options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new Mistake(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  }
}

function isReportName(name: string): name is ReportName {
  return Object.hasOwn(REPORTS, name);
}

function fail(message: string): void {
  process.stderr.write(`mtls-front: ${message}\n`);
  process.exitCode = 1;
}

main().catch((error: unknown) => {
  const isMistake = error instanceof Mistake || error instanceof TypeError;
  fail(isMistake ? error.message : String(error instanceof Error ? error.stack : error));
});
