// @keybound/mtls-front as a registry gets it: packed, installed in a project, run by its name in a terminal, imported, compiled against.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { listen } from "../support/loopback.mjs";
import { bin, root } from "../support/paths.mjs";
import { run } from "../support/run.mjs";
import { ask } from "./https-client.mjs";

const dist = join(root, "dist/mtls-front");
let folder;
let packed;
let program;

before(async () => {
  folder = await mkdtemp(join(realpathSync(tmpdir()), "keybound-front-"));
  [packed] = JSON.parse(await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: dist }));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "a-project", private: true, type: "module" }));
  const tarball = `./${packed.filename.replace("@", "").replace("/", "-")}`;
  // Nothing is fetched: what it depends on is installed here already, and linked.
  const { dependencies } = JSON.parse(await readFile(join(dist, "package.json"), "utf8"));
  const others = [...Object.keys(dependencies), "@types/node"].map((name) => join(root, "node_modules", name));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", tarball, ...others], { cwd: folder });
  program = join(folder, "node_modules/.bin/mtls-front");
});
after(() => rm(folder, { recursive: true, force: true }));

describe("the package", () => {
  test("has its licences, its README, its program, and no sources of the workshop", () => {
    const files = packed.files.map(({ path }) => path);
    const needed = ["package.json", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "cli.js", "index.js", "index.d.ts"];
    assert.deepEqual(needed.filter((file) => !files.includes(file)), []);
    assert.deepEqual(files.filter((file) => /(^|\/)(src|wasm|tests?)\/|tsconfig|\.map$|[^d]\.ts$|^\./.test(file)), []);
  });

  test("publint and attw have nothing to say", async () => {
    const { messages, pkg } = await publint({ pkgDir: dist, strict: true });
    assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
    await run(bin("attw"), ["--pack", dist, "--profile", "esm-only", "--no-emoji"]);
  });

  test("its declarations compile in a strict project, and the README's example with them", async () => {
    const readme = await readFile(join(folder, "node_modules/@keybound/mtls-front/README.md"), "utf8");
    const [, example] = /```js\n(import[^]*?)```/.exec(readme);
    await writeFile(join(folder, "use.ts"), example);
    const compilerOptions = {
      strict: true, noEmit: true, module: "nodenext", moduleResolution: "nodenext", target: "es2022", types: ["node"], skipLibCheck: true,
      typeRoots: [join(root, "node_modules/@types")],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
    await run(bin("tsc"), ["--project", folder]);
  });
});

/** Starts the program; resolves once it has said where it listens. */
async function start(...more) {
  const child = spawn(program, ["--port", "0", "--dir", join(folder, "certificates"), ...more], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  await new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      said += chunk;
      if (said.includes("For development only")) resolve();
    });
    child.stderr.on("data", (chunk) => (said += chunk));
    child.once("exit", (code) => reject(new Error(`it ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`it does not start: ${said}`)), 20_000).unref();
  });
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  return { said, port: Number(/^https:\/\/localhost:(\d+) ->/.exec(said)[1]), stop };
}

describe("the program", () => {
  const file = (name) => readFile(join(folder, "certificates", name), "utf8");
  let behind;
  before(async () => {
    behind = await listen(createServer((incoming, answer) => answer.end(JSON.stringify(incoming.headers))));
  });
  after(() => behind?.close());

  const call = async (port, name, headers) => {
    const identity = name && { cert: await file(`${name}.pem`), key: await file(`${name}.key`) };
    return ask({ port, ca: await file("ca.pem"), name: "localhost", path: "/", identity, headers });
  };

  test("serves with the certificates that it makes, and tells the server behind what wrangler dev reads", async () => {
    const front = await start("--target", behind.origin);
    try {
      const states = {};
      for (const name of [undefined, "good", "other", "expired", "self-signed", "revoked"]) {
        const { body } = await call(front.port, name, { "mf-cf-blob": "forged" });
        const { certPresented, certVerified, certRevoked } = JSON.parse(JSON.parse(body)["mf-cf-blob"]).tlsClientAuth;
        states[name] = [certPresented, certVerified, certRevoked];
      }
      assert.deepEqual(states, {
        undefined: ["0", "NONE", "0"],
        good: ["1", "SUCCESS", "0"],
        other: ["1", "SUCCESS", "0"],
        expired: ["1", "FAILED:certificate has expired", "0"],
        "self-signed": ["1", "FAILED:self signed certificate", "0"],
        revoked: ["1", "SUCCESS", "1"],
      });
      assert.match(front.said, /curl --cacert '.*ca\.pem' --cert '.*good\.pem' --key '.*good\.key' https:\/\/localhost:\d+\//);
    } finally {
      assert.equal(await front.stop(), 0);
    }
  });

  test("keeps the certificates, for its owner alone and out of repositories, and reports otherwise the next time", async () => {
    const before = await file("good.pem");
    const front = await start("--target", behind.origin, "--report", "haproxy", "--header", "X-Mine");
    try {
      assert.equal(await file("good.pem"), before);
      assert.match(front.said, /made earlier/);
      const { body } = await call(front.port, "good");
      assert.equal(JSON.parse(body)["x-mine"], before.replace(/-----[^-]+-----|\s/g, ""));
      assert.equal((await call(front.port, "expired")).status, 400);
    } finally {
      await front.stop();
    }
    assert.equal(await file(".gitignore"), "*\n");
    for (const name of await readdir(join(folder, "certificates"))) assert.equal((await stat(join(folder, "certificates", name))).mode & 0o777, 0o600, name);
    assert.ok(!(await readdir(join(folder, "certificates"))).includes("ca.key"));
  });

  test("makes them anew where something is missing", async () => {
    const before = await file("good.pem");
    await rm(join(folder, "certificates/other.key"));
    const front = await start("--target", behind.origin);
    await front.stop();
    assert.notEqual(await file("good.pem"), before);
    assert.match(await file("other.key"), /PRIVATE KEY/);
  });

  test("says what to change", async () => {
    const target = ["--target", behind.origin];
    for (const [given, words] of [
      [[], /mtls-front: --target is missing: where does your server listen\?/],
      [["--target", "localhost:1"], /mtls-front: target: localhost:1 should be where the server behind listens/],
      [["--target", "https://localhost:1"], /without TLS: http:\/\/localhost:8787/],
      [[...target, "--report", "apache"], /mtls-front: --report apache: there is none of that name; choose from cloudflare, client-cert,/],
      [[...target, "--port", "x"], /mtls-front: --port x: a number from 0 to 65535/],
      [[...target, "--port", new URL(behind.origin).port, "--host", "127.0.0.1"], /cannot listen on 127.0.0.1: port \d+ is taken: choose another with --port/],
      [[...target, "--header", "a b"], /mtls-front: --header a b: that cannot be a field's name/],
      [[...target, "--dir", join(folder, "package.json")], /mtls-front: --dir .*(EEXIST|ENOTDIR)/],
      [["--verbose"], /Unknown option '--verbose'[^]*usage: mtls-front/],
    ]) {
      const error = await run(program, given, { cwd: folder, timeout: 20_000 }).then(() => assert.fail(given.join(" ")), (failure) => failure);
      assert.match(error.message, words);
      assert.ok(!error.message.includes("    at "), error.message);
    }
    assert.match(await run(program, ["--help"], { cwd: folder }), /^Mutual TLS for development/);
  });
});
