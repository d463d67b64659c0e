// finish() and what only this runtime's responses have: bodies that are encoded already, WebSockets, fetched responses.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, serveHttp, startWorker } from "./support.mjs";

const ORIGIN = "https://app.example";
const issuer = await makeIssuer();
const client = await makeClient();
let upstream;
let worker;
before(async () => {
  upstream = await serveHttp((_, response) => response.writeHead(203, [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-upstream", "yes"]]).end("from upstream"));
  worker = await startWorker("answers", { bindings: { ISSUER: issuer.issuer, JWKS: issuer.jwks, UPSTREAM: upstream.origin } });
});
after(async () => {
  await worker?.stop();
  await upstream?.close();
});

const headersFor = async (path) => ({ ...(await credentials(issuer, client, { url: `https://api.example${path}` })), origin: ORIGIN });
const call = async (path) => fetch(worker.origin + path, { headers: await headersFor(path) });

/** The answer as it comes over the wire, without a client that unpacks it. */
async function rawCall(path, headers = {}) {
  const all = { ...(await headersFor(path)), ...headers };
  return new Promise((resolve, reject) => {
    const request = httpRequest(worker.origin + path, { headers: all });
    request.on("error", reject);
    request.on("upgrade", (response, socket) => resolve({ response, socket }));
    request.on("response", async (response) => resolve({ response, body: Buffer.concat(await response.toArray()) }));
    request.end();
  });
}

test("a body that is compressed already is not compressed again", async () => {
  const { response, body } = await rawCall("/compressed", { "accept-encoding": "gzip" });
  assert.equal(response.headers["access-control-allow-origin"], ORIGIN, worker.log());
  assert.equal(response.headers["content-encoding"], "gzip");
  assert.equal(gunzipSync(body).toString(), "hello hello hello");
});

test("a WebSocket is handed on, with the fields of the answer", async () => {
  const { response, socket } = await rawCall("/socket", {
    connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  });
  try {
    assert.equal(response.statusCode, 101, worker.log());
    assert.equal(response.headers["access-control-allow-origin"], ORIGIN);
    // A text frame with "hi" (RFC 6455 §5.2), masked with zeros.
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    const frame = await new Promise((resolve) => socket.once("data", resolve));
    assert.equal(frame.subarray(2).toString(), "echo hi");
  } finally {
    socket?.destroy();
  }
});

test("a fetched response, whose fields cannot be changed, goes through with all it has", async () => {
  const answer = await call("/fetched");
  assert.deepEqual([answer.status, answer.headers.get("x-upstream"), await answer.text()], [203, "yes", "from upstream"], worker.log());
  assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
});

test("an answer without a body keeps having none", async () => {
  const answer = await call("/empty");
  assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [204, ORIGIN]);
});
