// The tables of docs/benchmarks.md, each between two comments that name its group; everything else there is written by hand.
import { readFile, writeFile } from "node:fs/promises";
import { cells, software, tablesOf } from "./report.mjs";

/** Rewrites what stands between the markers; a marker that is not there is an error, not a loss. */
export async function writeDocument(file, results) {
  let text = await readFile(file, "utf8");
  text = between(text, "machine", machine(results), file);
  text = between(text, "bounds", bounds(results), file);
  for (const group of results.groups) text = between(text, group.group, section(group), file);
  await writeFile(file, text);
}

function between(text, name, content, file) {
  const [start, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${file} has no ${start} ... ${end}`);
  return `${text.slice(0, from + start.length)}\n${content.trim()}\n${text.slice(to)}`;
}

function machine({ date, machine: { words, versions } }) {
  return `${date.slice(0, 10)}, on ${words}. ${software(versions)}.`;
}

/** Every bound in one place. */
function bounds({ groups }) {
  const rows = groups.flatMap(({ rows, quick }) => rows.filter(({ bound }) => bound !== undefined).map((row) => ({ ...row, quick })));
  const lines = rows.map((row) => {
    const { measured } = cells(row);
    return [`${row.table}: ${row.name}`, row.bound, measured, row.met ? "met" : "**not met**"];
  });
  return markdown(["what", "bound", "measured", ""], lines);
}

function section({ date, quick, rows, notes }) {
  const parts = [`Measured ${date.slice(0, 10)}${quick ? " in the quick mode, which is only a first look" : ""}.`];
  for (const [heading, members] of tablesOf(rows)) {
    const lines = members.map(cells).map((cell) => [cell.name, cell.median, cell.spread, cell.ratio, cell.bound]);
    const headings = ["", members[0].unit, "middle half", "ratio", "bound"];
    const used = headings.map((_, index) => index < 2 || lines.some((line) => line[index] !== ""));
    const keep = (line) => line.filter((_, index) => used[index]);
    parts.push(`**${heading}**`, markdown(keep(headings), lines.map(keep)));
  }
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join("\n"));
  return parts.join("\n\n");
}

function markdown(headings, lines) {
  const row = (texts) => `| ${texts.map((text) => String(text).replaceAll("|", "\\|")).join(" | ")} |`;
  return [row(headings), row(headings.map(() => "---")), ...lines.map(row)].join("\n");
}
