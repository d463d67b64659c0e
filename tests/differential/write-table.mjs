// Writes differences.md: `node tests/differential/write-table.mjs`.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DIFFERENCES } from "./differences.mjs";

export const TABLE = fileURLToPath(new URL("differences.md", import.meta.url));

export function table() {
  const cell = (text) => text.replaceAll("|", "\\|");
  const said = ({ reasons, objection }) => (reasons ?? [objection.source.replace(/^\^|\$$|\\(?=[()])/g, "").replaceAll("?:", "")]).map((text) => `\`${cell(text)}\``).join(", ");
  const rows = (side) =>
    DIFFERENCES.filter(({ accepts }) => accepts === side).map((rule) => `| ${rule.id} | ${cell(rule.what)} | ${said(rule)} | ${cell(rule.why)} | ${rule.section} |`);
  return [
    "# Where keybound and oauth4webapi differ",
    "",
    "Made from `differences.mjs` by `node tests/differential/write-table.mjs`. `cargo xtask test differential` sends 100,000 requests with mutated proofs and tokens through both (same clock, keys, algorithms, and a window of 300 seconds either way); any other difference is a failure, and so is a row that no case shows.",
    "",
    "## oauth4webapi accepts, keybound refuses",
    "",
    "| difference | what is presented | keybound's reason | why | where it stands |",
    "|---|---|---|---|---|",
    ...rows("oauth4webapi"),
    "",
    "## keybound accepts, oauth4webapi refuses",
    "",
    "| difference | what is presented | oauth4webapi's error | why | where it stands |",
    "|---|---|---|---|---|",
    ...rows("keybound"),
    "",
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TABLE, table());
