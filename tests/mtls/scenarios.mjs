// What must hold behind every terminator, whatever it calls the field.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, readdir, readlink, stat } from "node:fs/promises";
import { describe, test } from "node:test";
import { ask, askPlainly } from "./https-client.mjs";
import { ASKING, NOT_ASKING, selfSignedClient } from "./pki.mjs";

const VERSIONS = ["TLSv1.2", "TLSv1.3"];
/** For the names of the fields alone. */
const SOMEBODY = await selfSignedClient();

/**
 * `form` is the path segment by which the API reads the certificate. `forge(identity)` gives the fields that tell of it, as
 * the terminator sends them; left out: it sends none. `varies` are those that an answer depends on. `unheld` says what comes
 * of certificates that do not hold: a status, "handshake", or the API's reason. `parts()` and `port()` give what runs;
 * `mayResume`: whether sessions can be resumed there.
 */
export function describeCertificates({ form, forge, varies = Object.keys(forge?.(SOMEBODY) ?? {}), unheld, parts, port, mayResume = false }) {
  const path = `/${form}/orders`;
  const call = async ({ as, token = as ?? "good", headers = {}, ...more } = {}) => {
    const { pki, tokens } = parts();
    const answer = await ask({
      port: port(), ca: pki.ca, name: ASKING, path, identity: pki.clients[as],
      headers: { authorization: `Bearer ${tokens[token]}`, ...headers }, ...more,
    });
    return { ...answer, told: answer.headers?.["content-type"]?.includes("json") ? JSON.parse(answer.body) : undefined };
  };
  const refused = (answer, reason) => {
    assert.deepEqual([answer.status, answer.told?.reason], [401, reason], String(answer.error ?? answer.body));
    assert.equal(answer.headers["cache-control"], "no-store");
  };

  for (const name of ["good", "rsa", "chained", "unicode"]) {
    test(`the right certificate is accepted: ${name}`, async () => {
      for (const maxVersion of VERSIONS) {
        const { status, told, headers, error } = await call({ as: name, maxVersion });
        assert.deepEqual([status, told?.mechanisms, told?.binding], [200, ["mtls"], { "x5t#S256": parts().pki.clients[name].x5t }], String(error ?? told?.reason));
        // RFC 9440 §2.4.
        assert.equal(headers.vary ?? "", varies.join(", "));
      }
    });
  }

  test("another certificate of the same authority and name is refused", async () => refused(await call({ as: "other", token: "good" }), "certificate_mismatch"));

  // RFC 8705 §6.3.
  test("a certificate that was renewed with the same key is another one", async () => refused(await call({ as: "renewed", token: "good" }), "certificate_mismatch"));

  test("no certificate is refused", async () => refused(await call(), "certificate_missing"));

  for (const name of ["expired", "revoked", "self-signed"]) {
    const outcome = unheld[name] === 200 ? "passes, as nobody verifies it" : "is refused";
    test(`a certificate that does not hold ${outcome}, though the token is bound to it: ${name}`, async () => {
      const answer = await call({ as: name });
      assert.equal(answer.told?.reason ?? answer.status, unheld[name], String(answer.error ?? answer.body));
    });
  }

  if (forge !== undefined) {
    test("a field that the client writes itself is overwritten, or taken away", async () => {
      const { good, other } = parts().pki.clients;
      const spellings = [(name) => name, (name) => name.toLowerCase(), (name) => name.toUpperCase(), (name) => name.replaceAll("-", "_")];
      for (const spelling of spellings) {
        const forged = (identity, values = (value) => value) =>
          Object.fromEntries(Object.entries(forge(identity)).map(([name, value]) => [spelling(name), values(value)]));
        refused(await call({ headers: forged(good) }), "certificate_missing");
        refused(await call({ as: "other", token: "good", headers: forged(good) }), "certificate_mismatch");
        refused(await call({ headers: forged(good, (value) => [value, value]) }), "certificate_missing");
        const answer = await call({ as: "good", headers: forged(other) });
        assert.deepEqual(answer.told?.binding, { "x5t#S256": good.x5t }, answer.told?.reason);
      }
    });

    test("at the public door of the API, where no terminator stands, the field counts for nothing", async () => {
      const { api, pki, tokens } = parts();
      const headers = { authorization: `Bearer ${tokens.good}`, ...forge(pki.clients.good) };
      const { status, body } = await askPlainly({ port: api.ports.http, host: ASKING, path, headers });
      assert.deepEqual([status, JSON.parse(body).reason], [401, "certificate_missing"]);
    });
  }

  test("a token that is bound to a key as well needs both", async () => {
    const { both, prove, jkt, pki } = parts();
    const dpop = async () => ({ authorization: `DPoP ${both}`, dpop: await prove(`https://${ASKING}${path}`) });
    const accepted = await call({ as: "good", headers: await dpop() });
    assert.deepEqual([accepted.status, accepted.told?.mechanisms], [200, ["dpop", "mtls"]], accepted.told?.reason);
    assert.deepEqual(accepted.told.binding, { jkt, "x5t#S256": pki.clients.good.x5t });
    refused(await call({ headers: await dpop() }), "certificate_missing");
    refused(await call({ as: "other", headers: await dpop() }), "certificate_mismatch");
    refused(await call({ as: "good", headers: { authorization: `Bearer ${both}` } }), "dpop_token_as_bearer");
  });

  if (mayResume) return;
  test("a certificate shown under one name is not known under another, nor in a resumed session", async () => {
    for (const maxVersion of VERSIONS) {
      const asked = await call({ as: "good", maxVersion });
      const unasked = await call({ name: NOT_ASKING, maxVersion });
      assert.deepEqual([asked.status, unasked.told?.reason], [200, "certificate_missing"]);
      for (const { session } of [asked, unasked]) {
        for (const name of [ASKING, NOT_ASKING]) {
          const again = await call({ session, name, maxVersion });
          assert.equal(again.isResumed, false);
          refused(again, "certificate_missing");
          // Under the name that does not ask, with the other one in the request.
          const crossed = await call({ session, name, host: name === ASKING ? NOT_ASKING : ASKING, maxVersion });
          assert.ok([401, 421].includes(crossed.status), String(crossed.status));
        }
      }
    }
  });
}

/** Only the terminator reaches the API's second door: it is a socket in a folder of the user that both run as. */
export function describeSocket({ form, forge, parts }) {
  describe("a direct request, past the terminator", () => {
    test("is believed where it comes from the terminator's own user", async () => {
      const { status } = await direct(parts(), { form, forge });
      assert.equal(status, 200);
    });

    test("does not get through from another user", { skip: process.getuid() !== 0 && "only root can be another user" }, async () => {
      const { socket } = parts().api;
      const script = `const socket = require("node:net").connect(${JSON.stringify(socket)});
        socket.on("connect", () => console.log("connected")).on("error", (error) => console.log(error.code));`;
      const nobody = 65534;
      const child = spawn(process.execPath, ["--eval", script], { uid: nobody, gid: nobody, cwd: "/", env: {}, stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      for await (const chunk of child.stdout) said += chunk;
      assert.equal(said.trim(), "EACCES");
    });

    test("does not get through from another machine: the door is no port", { skip: process.platform !== "linux" && "Linux lists a process's ports" }, async () => {
      const { api } = parts();
      assert.equal((await stat(api.folder)).mode & 0o777, 0o700);
      assert.deepEqual(await listeningPorts(api.pid), [api.ports.http]);
    });
  });
}

function direct({ api, pki, tokens }, { form, forge }) {
  const headers = { authorization: `Bearer ${tokens.good}`, ...forge(pki.clients.good) };
  return askPlainly({ socketPath: api.socket, host: ASKING, path: `/${form}/orders`, headers });
}

/** The TCP ports that a process listens on, as Linux knows them. */
async function listeningPorts(pid) {
  const links = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const ports = [];
  for (const table of ["tcp", "tcp6"]) {
    for (const line of (await readFile(`/proc/${pid}/net/${table}`, "utf8")).split("\n").slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === "0A" && inodes.has(inode)) ports.push(parseInt(local.split(":")[1], 16));
    }
  }
  return ports;
}

/** The lines that forbid resumption are needed: without them this would not be seen by the tests above. */
export function testResumptionControl({ start, without, form, parts }) {
  test("without the lines against it a session is resumed, and its certificate with it", async () => {
    const { pki, tokens, api } = parts();
    const { port, stop } = await start({ pki, socket: api.socket, without });
    try {
      const about = { port, ca: pki.ca, name: ASKING, path: `/${form}/orders`, headers: { authorization: `Bearer ${tokens.good}` } };
      const { session } = await ask({ ...about, identity: pki.clients.good });
      const again = await ask({ ...about, session });
      assert.deepEqual([again.status, again.isResumed], [200, true]);
    } finally {
      await stop();
    }
  });
}
