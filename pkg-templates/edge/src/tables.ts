// What the module's numbers stand for, read from it once.

import { core } from "./init.js";
import type { OAuthError, Rejected } from "./types.js";

/** Why a request is refused, and how that is answered. */
export interface ReasonInfo {
  number: number;
  code: string;
  error: OAuthError | null;
  /** At a token endpoint. */
  tokenError: OAuthError | null;
  status: Rejected["status"];
  check: number;
  detail: string;
}

/** A check and where the standards ask for it. */
export interface CheckInfo {
  name: string;
  rfc: string;
}

interface Tables {
  reasons: readonly ReasonInfo[];
  byCode: ReadonlyMap<string, ReasonInfo>;
  checks: readonly CheckInfo[];
  algorithms: readonly string[];
}

let tables: Tables | undefined;

function read(): Tables {
  const module = core();
  module.exports.tables(module.desk);
  const [reasons = "", checks = "", algorithms = ""] = module.taken().split("\n\n");
  const list = reasons.split("\n").map((line, number): ReasonInfo => {
    const [code = "", error, tokenError, status, check, detail = ""] = line.split("\t");
    return {
      number,
      code,
      error: (error as OAuthError | undefined) || null,
      tokenError: (tokenError as OAuthError | undefined) || null,
      status: Number(status) as Rejected["status"],
      check: Number(check),
      detail,
    };
  });
  return {
    reasons: list,
    byCode: new Map(list.map((info) => [info.code, info])),
    checks: checks.split("\n").map((line): CheckInfo => {
      const [name = "", rfc = ""] = line.split("\t");
      return { name, rfc };
    }),
    algorithms: algorithms.split(" "),
  };
}

/** The tables. Only after `init`. */
export function lookup(): Tables {
  tables ??= read();
  return tables;
}

/** The reason of this number. */
export function reasonOf(number: number): ReasonInfo {
  const info = lookup().reasons[number];
  if (info === undefined) throw new Error(`no reason ${number}`);
  return info;
}

/** The reason of this code. */
export function reasonNamed(code: string): ReasonInfo {
  const info = lookup().byCode.get(code);
  if (info === undefined) throw new Error(`no reason ${code}`);
  return info;
}
