// What a module of ours is made of: octets by crate and module, and what the compressed file would be smaller by without them.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { dist, root } from "../support/paths.mjs";
import { brotli } from "./size-bundles.mjs";

const CODE = 10;
const IMPORT = 2;
/** Groups smaller than this share of a module stand together. */
const SMALL = 0.01;
const DATA = "data: texts and tables";
const SECTIONS = { 1: "types", 3: "list of functions", 4: "tables", 5: "memory", 6: "globals", 7: "exports", 9: "table of functions", 11: DATA, 12: DATA };

/** Reads a module's bytes (WebAssembly Core §5). */
function reader(octets, at = 0) {
  const read = {
    at,
    octet: () => octets[read.at++],
    /** LEB128, unsigned. */
    number() {
      let value = 0;
      for (let shift = 1; ; shift *= 128) {
        const octet = read.octet();
        value += (octet & 127) * shift;
        if (octet < 128) return value;
      }
    },
    skip: (count) => (read.at += count),
  };
  return read;
}

function sectionsOf(octets) {
  const read = reader(octets, 8);
  const sections = [];
  while (read.at < octets.length) {
    const id = read.octet();
    const size = read.number();
    sections.push({ id, from: read.at, to: read.at + size });
    read.skip(size);
  }
  return sections;
}

/** How many functions come from outside: they have the first numbers. */
const importedFunctions = async (octets) => WebAssembly.Module.imports(await WebAssembly.compile(octets)).filter(({ kind }) => kind === "function").length;

/** Where each function's code is, with its size in front. */
function bodiesOf(octets, { from }) {
  const read = reader(octets, from);
  return Array.from({ length: read.number() }, () => {
    const start = read.at;
    const size = read.number();
    read.skip(size);
    return { from: start, to: read.at };
  });
}

/** The path of a function: from a mangled name (either scheme) or one that wasm-bindgen made readable. */
function pathOf(name) {
  const crate = /C(?:s[0-9A-Za-z]*_)?(\d.*)/.exec(name);
  if (name.startsWith("_R") && crate !== null) return identifiers(crate[1]).join("::");
  if (!name.startsWith("_ZN")) return name.replace(/\[[0-9a-f]{16}\]/g, "");
  const parts = identifiers(name.slice(3)).join("::");
  return parts.replaceAll("..", "::").replaceAll("$LT$", "<").replaceAll("$GT$", ">").replaceAll("$RF$", "&").replaceAll("$u20$", " ").replace(/\$[A-Za-z0-9]+\$/g, " ");
}

/** Lengths and names in turn. */
function identifiers(text) {
  const found = [];
  for (let rest = text, match; (match = /^[A-Z]?(?:t)?(\d+)_?/.exec(rest)) !== null; ) {
    const end = match[0].length + Number(match[1]);
    found.push(rest.slice(match[0].length, end));
    rest = rest.slice(end);
  }
  return found;
}

/** Ours by crate and module, others by crate; what has no path are the functions that JavaScript calls, and C's. */
function groupOf(name) {
  const path = pathOf(name);
  const match = /(?:^|[<& (])_*([a-z][a-z0-9_]*)::_*([a-zA-Z][A-Za-z0-9_]*)/.exec(path);
  const isOfC = /^_*(mem(cmp|cpy|set|move)|[a-z]+[ft][id]\d)$/.test(name);
  if (match === null) return isOfC ? "compiler_builtins" : `called by JavaScript: ${name}, with what was inlined`;
  const [, crate, module] = match;
  if (["core", "alloc", "std", "__rustc", "rustc"].includes(crate)) return `Rust's library: ${crate}`;
  return crate.startsWith("keybound_") && /^[a-z]/.test(module) ? `${crate}::${module}` : crate;
}

/** Octets of each group, largest first, and by how much brotli shrinks when they are left out. */
async function groups(octets, symbols) {
  const sections = sectionsOf(octets);
  const code = sections.find(({ id }) => id === CODE);
  const imported = await importedFunctions(octets);
  const found = new Map();
  const add = (group, part) => found.set(group, [...(found.get(group) ?? []), part]);
  for (const [index, body] of bodiesOf(octets, code).entries()) {
    const name = symbols.get(index + imported);
    if (name === undefined) throw new Error(`function ${index + imported} has no name`);
    add(groupOf(name), body);
  }
  for (const { id, from, to } of sections) if (id !== CODE && id !== IMPORT) add(SECTIONS[id] ?? "other sections", { from, to });
  const size = (parts) => parts.reduce((sum, { from, to }) => sum + to - from, 0);
  const large = [...found].filter(([, parts]) => size(parts) >= SMALL * octets.length).sort(([, one], [, other]) => size(other) - size(one));
  const names = new Set(large.map(([group]) => group));
  const rest = [...found].filter(([group]) => !names.has(group));
  const all = rest.length === 0 ? large : [...large, [`the rest, ${rest.length} groups`, rest.flatMap(([, parts]) => parts)]];
  const whole = brotli(octets);
  return all.map(([group, parts]) => ({ group, octets: size(parts), compressed: whole - brotli(without(octets, parts)) }));
}

function without(octets, parts) {
  const kept = [];
  let at = 0;
  for (const { from, to } of parts.toSorted((one, other) => one.from - other.from)) {
    kept.push(octets.subarray(at, from));
    at = to;
  }
  return Buffer.concat([...kept, octets.subarray(at)]);
}

/** Rows on one module: two tables. */
export async function inside({ folder, name, version }) {
  const file = join(dist[folder], "wasm", `${name}_bg.wasm`);
  const octets = await readFile(file);
  const built = join(root, "target-wasm/npm", name);
  // Names are those of this very module, or of none.
  if (!octets.equals(await readFile(join(built, basename(file))))) throw new Error(`${file} is not what was built last: run \`cargo xtask build\``);
  const lines = (await readFile(join(built, `${name}_bg.symbols`), "utf8")).trim().split("\n");
  const symbols = new Map(lines.map((line) => [Number(line.slice(0, line.indexOf(":"))), line.slice(line.indexOf(":") + 1)]));
  const parts = await groups(octets, symbols);
  const row = (table, name, value) => ({ table, name, unit: "octets", median: value });
  return [
    { ...row(`${name}.wasm, by crate and module`, "all of it", octets.length), version },
    ...parts.map(({ group, octets }) => row(`${name}.wasm, by crate and module`, group, octets)),
    { ...row(`${name}.wasm, what brotli 11 would be smaller by without it`, "all of it", brotli(octets)), version },
    ...parts.map(({ group, compressed }) => row(`${name}.wasm, what brotli 11 would be smaller by without it`, group, compressed)),
  ];
}
