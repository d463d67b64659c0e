// The examples of the packages' READMEs and of the pages for users: every block, and every option that stands in a line, is right by
// the types of what npm gets.
import assert from "node:assert/strict";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { installedPackages } from "../support/installed.mjs";
import { bin, root } from "../support/paths.mjs";
import { run } from "../support/run.mjs";

const PAGES = [
  "pkg-templates/browser/README.md",
  "pkg-templates/edge/README.md",
  "docs/session.md",
  "docs/worker-mode.md",
  "docs/browser-troubles.md",
  "docs/bind-tokens.md",
  "docs/protect-an-api.md",
];
/** These have links only. */
const WITHOUT_EXAMPLES = ["docs/threat-model.md", "docs/policy.md"];

/** What examples use beside our packages. */
const BESIDE = ["oauth4webapi", "oidc-client-ts", "axios", "hono", "ioredis", "redis", "@types/node", "undici-types"];

/** What examples leave to the reader, with its type. */
const GIVEN = {
  accessToken: "string",
  key: 'import("@keybound/browser").DpopKey',
  as: 'import("oauth4webapi").AuthorizationServer',
  clientAuth: 'import("oauth4webapi").ClientAuth',
  params: "URLSearchParams",
  redirectUri: "string",
  verifier: "string",
  file: "File",
  env: "{ NONCE_SECRET: string; REPLAY: unknown }",
  issuer: "string",
  audience: "string",
  request: "Request",
  form: "FormData & { get(name: string): string | null }",
  code: "{ dpopJkt?: string }",
  tokens: "object",
  oldToken: 'import("@keybound/browser").BoundToken',
  createServer: 'typeof import("node:http").createServer',
  authenticate: "(request: Request) => Request",
  authenticateClient: "(request: Request) => Promise<{ isPublic: boolean; dpop_bound_access_tokens?: boolean; tls_client_certificate_bound_access_tokens?: boolean }>",
  findGrant: "(request: Request, client: object) => Promise<{ code?: { dpopJkt?: string }; refreshToken?: { cnf: { jkt?: string } }; consume(): Promise<void> }>",
  issue: "(grant: object) => Promise<string>",
  refreshTokenFor: "(grant: object) => Promise<string>",
};

/** Those that are one thing on this page and another on that. */
const given = (name, block, page) => {
  const isEdge = /edge|bind-tokens|protect|policy/.test(page);
  if (name === "app") return block.includes("@keybound/edge/hono") ? 'import("hono").Hono' : "{ use(handler: (request: any, response: any, next: any) => unknown): void }";
  if (name === "api") return isEdge ? 'import("@keybound/edge").ResourceServer' : 'import("@keybound/browser").BoundFetch';
  if (name === "client") return isEdge ? 'import("ioredis").Redis' : 'import("oauth4webapi").Client';
  if (name === "endpoint") return isEdge && block.includes("endpoint.bind") ? 'import("@keybound/edge").TokenEndpoint' : block.includes("keyboundToken") ? 'import("@keybound/edge").TokenEndpoint' : "URL";
  if (name === "token") return isEdge ? '{ cnf: import("@keybound/edge").Binding["cnf"] }' : 'import("@keybound/browser").BoundToken';
  return GIVEN[name];
};
const NAMES = [...Object.keys(GIVEN), "app", "api", "client", "endpoint", "token"];

/** What options in a line are made of, and where it comes from. */
const IMPORTS = {
  "@keybound/edge": "certificates createResourceServer createTokenEndpoint durableObjectReplay fapi2 introspection jwtTokens memoryReplay redisReplay",
  "@keybound/edge/node": "peerCertificate",
  "@keybound/edge/wasm": "wasmSignatures",
};

/** A block as a module: with what it is given, and whole where it says that something is left out. */
function asModule(block, page) {
  const whole = block.replaceAll("{ /* ... */ ", '{ issuer: "https://as.example", audience: "https://api.example", ');
  const uses = (name) => new RegExp(`(?<![.\\w"'/-])${name}\\b`).test(whole);
  const declares = (name) => new RegExp(`(const|let|function|class) ${name}\\b|import [^;]*\\b${name}\\b[^;]* from`).test(whole.replaceAll("* as ", "* "));
  const declarations = NAMES.filter((name) => uses(name) && !declares(name)).map((name) => `declare const ${name}: ${given(name, whole, page)};`);
  const imports = Object.entries(IMPORTS).flatMap(([entry, names]) =>
    names.split(" ").filter((name) => new RegExp(`\\b${name}\\(|: ${name}\\b`).test(whole) && !declares(name)).map((name) => `import { ${name} } from "${entry}";`),
  );
  // What returns is the inside of a function.
  const body = /^(if \(.*\) )?return /m.test(whole) ? `export async function example() {\n${whole}}` : whole;
  return [...imports, ...declarations, body, "export {};", ""].join("\n");
}

/** Members of options, as a line shows them. */
const asOptions = (members, role) =>
  role === "endpoint" ? `createTokenEndpoint({ ${members} });` : `createResourceServer({ issuer: "https://as.example", audience: "https://api.example", ${members} });`;

const blocksOf = (text) => [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block);

/** Inline code that gives options of a server: `nonce: { secrets: [...] }`. */
function optionsOf(text, page) {
  if (!/edge|protect|policy/.test(page)) return [];
  const spans = [...text.replaceAll(/^```.*?^```$/gms, "").matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  const names = /^(tokens|proofOfPossession|proof|publicUrl|replay|nonce|crypto|cors|certificates): (?!.*(\.\.\.|…|proof: ))/;
  return spans.filter((span) => names.test(span)).map((span) => `${asOptions(span)}\n`);
}

async function modulesOf(page) {
  const text = await readFile(join(root, page), "utf8");
  const fragments = blocksOf(text).map((block) => (/^\w+: /.test(block) ? asOptions(block) : block));
  return [...fragments, ...optionsOf(text, page)].map((block) => asModule(block, page));
}

const COMPILER = {
  target: "ES2022", module: "ESNext", moduleResolution: "bundler", strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: true,
  // Examples are JavaScript: their own functions' parameters have no types.
  noImplicitAny: false, lib: ["ES2022", "DOM", "DOM.Iterable"], types: ["node"],
};

let project;
before(async () => {
  const cloudflare = 'declare module "cloudflare:workers" { export const env: { NONCE_SECRET: string; REPLAY: unknown }; }\n';
  project = await installedPackages({ "cloudflare.d.ts": cloudflare });
  for (const name of BESIDE) {
    const place = project.path("node_modules", name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(root, "node_modules", name), place);
  }
});
after(() => project?.remove());

async function compile(name, modules) {
  const files = Object.fromEntries(modules.map((module, index) => [`${name}/${index}.ts`, module]));
  await project.write({
    ...files,
    [`${name}/tsconfig.json`]: JSON.stringify({ compilerOptions: COMPILER, files: ["../cloudflare.d.ts", ...modules.map((_, index) => `${index}.ts`)] }),
  });
  await run(bin("tsc"), ["--project", project.path(name)]);
}

describe("the examples are right by the packages' types", () => {
  for (const page of PAGES) {
    test(page, async () => {
      const modules = await modulesOf(page);
      assert.ok(modules.length > 0, "there are none");
      await compile(page.replaceAll(/\W/g, "-"), modules);
    });
  }

  test("and what is wrong would be found", async () => {
    const wrong = [
      ["docs/protect-an-api.md", asOptions("nonce: { secret: [env.NONCE_SECRET] }"), /secret/],
      ["docs/session.md", 'import { createSession } from "@keybound/browser/session";\ncreateSession({ issuer: "https://as.example" });', /clientId/],
      ["docs/bind-tokens.md", 'const { cnf } = await createTokenEndpoint({}).bind(request, { clientTyp: "public" });', /clientTyp/],
    ];
    for (const [page, block, complaint] of wrong) await assert.rejects(compile("wrong", [asModule(block, page)]), complaint, page);
  });
});

describe("the README of @keybound/browser", () => {
  test("tells of each entry of the package, and links to the pages on troubles and threats", async () => {
    const readme = await readFile(join(root, "pkg-templates/browser/README.md"), "utf8");
    const { exports } = JSON.parse(await readFile(join(root, "pkg-templates/browser/package.json"), "utf8"));
    for (const entry of Object.keys(exports).filter((entry) => !/json$/.test(entry))) assert.ok(readme.includes(`@keybound/browser${entry.slice(1)}\``), entry);
    for (const page of ["browser-troubles.md", "threat-model.md", "session.md", "worker-mode.md"]) assert.ok(readme.includes(`docs/${page}`), page);
    assert.ok(blocksOf(readme)[0].trim().split("\n").length <= 10, "the first call has ten lines at most");
    for (const name of ["chooseAlgorithm", "diagnose", "createTokenFetch", "primeNonce"]) assert.ok(readme.includes(name), name);
  });

  test("and pages link to pages that are there", async () => {
    for (const page of [...PAGES, ...WITHOUT_EXAMPLES]) {
      const text = await readFile(join(root, page), "utf8");
      for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) await readFile(join(root, dirname(page), link)).catch((error) => (error.code === "EISDIR" ? undefined : assert.fail(`${page}: ${link}`)));
      for (const [, path] of text.matchAll(/github\.com\/keybound\/keybound\/(?:blob|tree)\/main\/([^)#\s]+)/g)) {
        await readFile(join(root, path)).catch((error) => (error.code === "EISDIR" ? undefined : assert.fail(`${page}: ${path}`)));
      }
    }
  });
});
