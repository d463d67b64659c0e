// The pages of docs/platforms: they quote the configurations that the tests run, their code works, and none is missing.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../support/paths.mjs";
import "./packages.mjs";

const folder = join(root, "docs/platforms");
const pages = (await readdir(folder)).filter((name) => name.endsWith(".md"));
const textOf = (name) => readFile(join(folder, name), "utf8");

/** The quoted blocks of a page: `{ language, text }`. */
const blocksOf = (page) => [...page.matchAll(/^```(\S*)\n([^]*?)^```$/gm)].map(([, language, text]) => ({ language, text }));

const CONFIGURATIONS = { nginx: "nginx.conf", haproxy: "haproxy.cfg", "haproxy-crt-list": "haproxy-crt-list.txt" };

describe("the configurations on the pages are those that the tests run", () => {
  const quoted = new Set();
  for (const name of pages) {
    test(name, async () => {
      for (const { language, text } of blocksOf(await textOf(name))) {
        if (!(language in CONFIGURATIONS)) continue;
        quoted.add(language);
        const configuration = await readFile(new URL(`configurations/${CONFIGURATIONS[language]}`, import.meta.url), "utf8");
        // Line by line, as the blocks may leave some out between.
        let at = 0;
        for (const line of text.split("\n").filter((line) => line.trim() !== "")) {
          const place = `\n${configuration}`.indexOf(`\n${line}\n`, at);
          assert.notEqual(place, -1, `${CONFIGURATIONS[language]} has no such line, or not in that order: ${line}`);
          at = place + 1;
        }
      }
    });
  }

  test("every configuration is quoted, and each line against spoofing and resumption", async () => {
    assert.deepEqual([...quoted].sort(), Object.keys(CONFIGURATIONS).sort());
    const all = (await Promise.all(pages.map(textOf))).join("\n");
    for (const name of Object.values(CONFIGURATIONS)) {
      const configuration = await readFile(new URL(`configurations/${name}`, import.meta.url), "utf8");
      const matters = /ssl_(verify|client|crl|session)|X-SSL-Client-Cert |Client-Cert :|tickets|cachesize|verify/;
      const matter = configuration.split("\n").filter((line) => matters.test(line));
      assert.ok(matter.length >= 2, name);
      for (const line of matter.filter((line) => !line.trim().startsWith("#"))) assert.ok(all.includes(`\n${line}\n`), `${name}: ${line}`);
    }
  });
});

describe("the code on the pages works", () => {
  for (const name of pages.filter((page) => page !== "README.md")) {
    test(name, async () => {
      const code = blocksOf(await textOf(name)).filter(({ language }) => language === "js");
      assert.ok(code.length > 0, "no code on it");
      for (const { text } of code) {
        const runnable = text.replace(/from "@keybound\/edge\/?([^"]*)"/g, (_, entry) => `from ${JSON.stringify(built(entry || "index"))}`);
        // Constructors throw if an option is wrong.
        await import(`data:text/javascript,${encodeURIComponent(`${runnable}\nexport { api };`)}`);
      }
    });
  }
});

describe("the index", () => {
  test("links to every page, and no other", async () => {
    const linked = [...(await textOf("README.md")).matchAll(/^\| \[[^\]]+\]\(([^)]+)\)/gm)].map(([, page]) => page);
    assert.deepEqual([...linked].sort(), pages.filter((page) => page !== "README.md").sort());
  });

  test("and every page says what to configure there, here, and what could be spoofed", async () => {
    for (const name of pages.filter((page) => page !== "README.md")) {
      const headings = [...(await textOf(name)).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      assert.deepEqual(headings.slice(0, 3), ["There", "Here", "If forgotten"], name);
    }
  });

  test("has a row for every source of the package", async () => {
    const { certificates } = await import(built("index"));
    const text = await textOf("README.md");
    for (const source of Object.keys(certificates)) assert.ok(text.includes(`certificates.${source}(`), source);
  });
});

/** A module of the built package. */
function built(name) {
  return pathToFileURL(join(root, `dist/edge/${name}.js`)).href;
}
