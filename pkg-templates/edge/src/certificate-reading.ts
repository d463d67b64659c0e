// What a source of certificates says, as the module writes it: empty, `!` and a code, or the thumbprint.

import { isReady } from "./init.js";
import type { CertificateReading } from "./types.js";

/** For sources that are read by hand, outside a server. */
export function ready(): void {
  if (!isReady()) throw new Error("call and await init() of @keybound/edge before reading a certificate by hand");
}

export function readingOf(written: string): CertificateReading {
  if (written === "") return { absent: true };
  if (written.startsWith("!")) return { refused: written.slice(1) };
  return { certificate: { "x5t#S256": written } };
}
