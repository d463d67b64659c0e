// Requests of node:http: what is decided about them, by what came over the wire.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AUDIENCE, challengesByScheme, edge } from "../edge/support.mjs";
import { CERTIFICATE } from "../edge/certificate-support.mjs";
import { PATH, makeNodeWorld, node, send, sendText, serveHandler, serveProtected } from "./support.mjs";

/** The decision's reason in a field, so that a test can tell refusals apart. */
const serveDecisions = (api, context) =>
  serveHandler(async (request, response) => {
    const decision = await api.authenticate(request, context);
    if (decision.ok) response.end(JSON.stringify({ claims: decision.claims, binding: decision.binding }));
    else await node.send(response, decision.response({ headers: { "x-reason": decision.reason } }));
  });

async function withServer(api, work, serve = serveDecisions) {
  const server = await serve(api);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

describe("a request", () => {
  let world;
  let server;
  before(async () => {
    world = await makeNodeWorld();
    server = await serveDecisions(world.api);
  });
  after(() => server?.close());
  const reasonOf = async (request) => (await send(server.origin, request)).headers.get("x-reason");

  test("with a bound token and its proof is let in, once for each proof", async () => {
    const headers = await world.fields();
    const first = await send(server.origin, { path: `${PATH}?page=2`, headers });
    assert.equal(first.status, 200, first.headers.get("x-reason"));
    assert.equal(JSON.parse(first.text).binding.jkt, world.client.jkt);
    const again = await send(server.origin, { headers });
    assert.deepEqual([again.status, again.headers.get("x-reason")], [401, "proof_replayed"]);
  });

  test("without credentials gets a challenge for each scheme and no error", async () => {
    const { status, headers, text } = await send(server.origin);
    assert.deepEqual([status, text], [401, ""]);
    const { DPoP, Bearer } = challengesByScheme({ headers });
    assert.deepEqual([DPoP.error, Bearer.error], [undefined, undefined]);
  });

  test("with two DPoP fields is refused, though Node joins them", async () => {
    const { authorization, dpop } = await world.fields();
    const other = await world.fields();
    assert.equal(await reasonOf({ headers: { authorization, dpop: [dpop, other.dpop] } }), "proof_multiple");
    assert.equal(await reasonOf({ headers: { authorization, dpop } }), null);
  });

  test("with two Authorization fields is refused, though Node shows the first only", async () => {
    const { authorization, dpop } = await world.fields();
    const reason = await reasonOf({ headers: { authorization: [authorization, `Bearer ${world.token}`], dpop } });
    assert.notEqual(reason, null);
  });

  test("is decided by its own method and path, not by another's proof", async () => {
    for (const [request, reason] of [
      [{ method: "POST" }, "htm_mismatch"],
      [{ path: "/orders/7" }, "htu_path_mismatch"],
    ]) assert.equal(await reasonOf({ ...request, headers: await world.fields() }), reason);
  });

  test("of any method that Node takes can be protected, TRACE too", async () => {
    for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE"]) {
      const { status, headers } = await send(server.origin, { method, headers: await world.fields({ method }) });
      assert.equal(status, 200, `${method}: ${headers.get("x-reason")}`);
    }
  });

  test("gets its answer's fields and no body for HEAD, let in or not", async () => {
    const refused = await send(server.origin, { method: "HEAD" });
    assert.deepEqual([refused.status, refused.text], [401, ""]);
    assert.ok(challengesByScheme(refused).DPoP);
    const bad = await send(server.origin, { method: "HEAD", headers: await world.fields() });
    assert.deepEqual([bad.status, bad.text], [401, ""]);
    const good = await send(server.origin, { method: "HEAD", headers: await world.fields({ method: "HEAD" }) });
    assert.equal(good.status, 200, good.headers.get("x-reason"));
  });

  test("keeps its connection, refused or not, with a body that nobody read", async () => {
    const { Agent } = await import("node:http");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const statuses = [];
      for (const headers of [{}, await world.fields({ method: "POST" }), { dpop: "x" }, await world.fields({ method: "POST" })]) {
        statuses.push((await send(server.origin, { method: "POST", headers, body: "x".repeat(100_000), agent })).status);
      }
      assert.deepEqual(statuses, [401, 200, 401, 200]);
      assert.equal(Object.values(agent.freeSockets).flat().length, 1);
    } finally {
      agent.destroy();
    }
  });

  test("that is broken off ends quietly, and the next one is served", async () => {
    const { connect } = await import("node:net");
    const { hostname, port } = new URL(server.origin);
    for (const text of [`GET ${PATH} HTTP/1.1\r\nHost: api.example\r\n\r\n`, `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx`]) {
      await new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(text, () => socket.destroy()));
        socket.on("close", resolve);
      });
    }
    assert.equal((await send(server.origin, { headers: await world.fields() })).status, 200);
  });
});

describe("the target URI", () => {
  const ask = (world, server, host, line = PATH, about = {}) =>
    world.fields(about).then(({ authorization, dpop }) =>
      sendText(server.origin, `GET ${line} HTTP/1.1\r\n${host}Authorization: ${authorization}\r\nDPoP: ${dpop}\r\nConnection: close\r\n\r\n`),
    );
  const outcomeOf = (answer) => (/^HTTP\/1\.1 200/.test(answer) ? "accepted" : /^x-reason: (.*)\r$/im.exec(answer)?.[1] ?? answer);

  test("is publicUrl's, whatever the client writes into Host", async () => {
    const world = await makeNodeWorld();
    await withServer(world.api, async (server) => {
      for (const host of ["api.example", "evil.example", "evil.example:99", ""]) {
        assert.equal(outcomeOf(await ask(world, server, `Host: ${host}\r\n`)), "accepted", host);
      }
      const evil = { url: `https://evil.example${PATH}` };
      assert.equal(outcomeOf(await ask(world, server, "Host: evil.example\r\n", PATH, evil)), "htu_host_mismatch");
    });
  });

  test("of several is that of the Host, and a request that names none of them, none at all or two is refused", async () => {
    const world = await makeNodeWorld({ publicUrl: [AUDIENCE, "https://eu.api.example:8443/v1"] });
    await withServer(world.api, async (server) => {
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n")), "accepted");
      const eu = { url: `https://eu.api.example:8443/v1${PATH}` };
      assert.equal(outcomeOf(await ask(world, server, "Host: EU.api.example:8443\r\n", PATH, eu)), "accepted");
      for (const host of ["Host: evil.example\r\n", "Host:\r\n", "Host: api.example/x\r\n", "Host: u@api.example\r\n", "Host: api.example\r\nHost: api.example\r\n"]) {
        assert.equal(outcomeOf(await ask(world, server, host)), "target_unknown", host);
      }
    });
  });

  test("in absolute form counts, and its host goes before Host (RFC 9112 §3.2.2)", async () => {
    const world = await makeNodeWorld({ publicUrl: [AUDIENCE] });
    await withServer(world.api, async (server) => {
      for (const line of [`http://api.example${PATH}?a=1`, `HTTPS://API.example${PATH}`]) {
        assert.equal(outcomeOf(await ask(world, server, "Host: evil.example\r\n", line)), "accepted", line);
      }
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", `http://evil.example${PATH}`)), "target_unknown");
      const root = { url: `${AUDIENCE}/` };
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", "http://api.example", root)), "accepted");
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", "http://api.example?a", root)), "accepted");
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", `http://u@api.example${PATH}`)), "target_unknown");
    });
  });

  test("is missing for `*` and for paths that the URL parser would change", async () => {
    const world = await makeNodeWorld();
    await withServer(world.api, async (server) => {
      const { authorization, dpop } = await world.fields({ method: "OPTIONS", url: `${AUDIENCE}/` });
      const star = await sendText(server.origin, `OPTIONS * HTTP/1.1\r\nHost: api.example\r\nAuthorization: ${authorization}\r\nDPoP: ${dpop}\r\nConnection: close\r\n\r\n`);
      assert.equal(outcomeOf(star), "target_unknown");
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", "\\orders")).slice(0, 12), "HTTP/1.1 400");
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", "/a\\orders", { url: `${AUDIENCE}/a/orders` })), "target_unknown");
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", "//orders", { url: `${AUDIENCE}//orders` })), "accepted");
      assert.equal(outcomeOf(await ask(world, server, "Host: api.example\r\n", `/a/..${PATH}?\\`)), "accepted");
    });
  });

  test("may come from a function, which sees the Host's URL, method and fields", async () => {
    const seen = [];
    const world = await makeNodeWorld({
      publicUrl(request) {
        seen.push([request.url, request.method, request.headers.get("x-forwarded-host")]);
        return `${AUDIENCE}${new URL(request.url).pathname.replace("/internal", "")}`;
      },
    });
    await withServer(world.api, async (server) => {
      const answer = await ask(world, server, "Host: inner:80\r\nX-Forwarded-Host: outer\r\n", `/internal${PATH}`);
      assert.equal(outcomeOf(answer), "accepted");
      assert.deepEqual(seen, [[`http://inner/internal${PATH}`, "GET", "outer"]]);
    });
  });

  test("must be given: without it no server is made, and the error says why", () => {
    for (const publicUrl of [undefined, null]) {
      for (const make of [node.createNodeResourceServer, node.createNodeTokenEndpoint]) {
        assert.throws(() => make({ issuer: "https://as.example", audience: "a", publicUrl }), /TypeError: publicUrl: give what clients see.*Host field/s);
      }
    }
    assert.throws(() => node.createNodeResourceServer({ issuer: "https://as.example", audience: "a", publicUrl: "http://api.example" }), /must be an https origin/);
    assert.throws(() => node.createNodeResourceServer({ issuer: "http://as.example", audience: "a", publicUrl: AUDIENCE }), /issuer/);
  });
});

test("a field that a proxy repeats is seen twice by a certificate source as well", async () => {
  const { certificates } = edge;
  const world = await makeNodeWorld({ certificates: [certificates.clientCertHeader({ trusted: true })] }, { claims: { cnf: { "x5t#S256": CERTIFICATE.x5t } } });
  await withServer(world.api, async (server) => {
    const authorization = `Bearer ${world.token}`;
    const one = await send(server.origin, { headers: { authorization, "client-cert": CERTIFICATE.field } });
    assert.equal(one.status, 200, one.headers.get("x-reason"));
    const two = await send(server.origin, { headers: { authorization, "client-cert": [CERTIFICATE.field, CERTIFICATE.field] } });
    assert.equal(two.headers.get("x-reason"), "certificate_header_repeated");
  });
});

test("a certificate source of the caller's sees each field as it was sent", async () => {
  const seen = [];
  const source = { name: "own", read: (request, fields) => (seen.push(...fields.filter(([name]) => name === "X-Cert")), { absent: true }) };
  const world = await makeNodeWorld({ certificates: [source] }, { claims: { cnf: { "x5t#S256": CERTIFICATE.x5t } } });
  await withServer(world.api, (server) => send(server.origin, { headers: { authorization: `Bearer ${world.token}`, "X-Cert": ["a", "b, c"] } }));
  assert.deepEqual(seen, [["X-Cert", "a"], ["X-Cert", "b, c"]]);
});

test("a certificate that the caller got elsewhere can be given with the request, and none as well", async () => {
  const world = await makeNodeWorld({}, { claims: { cnf: { "x5t#S256": CERTIFICATE.x5t } } });
  for (const [certificate, status] of [[CERTIFICATE.pem, 200], [null, 401]]) {
    await withServer(world.api, async (server) => {
      assert.equal((await send(server.origin, { headers: { authorization: `Bearer ${world.token}` } })).status, status);
    }, (api) => serveDecisions(api, { certificate }));
  }
});

describe("protect()", () => {
  test("asks for all scopes of a list, and answers 403 where one is missing", async () => {
    const world = await makeNodeWorld({}, { claims: { scope: "orders:read orders:write" } });
    const cases = [["orders:read", 200], ["orders:write orders:read", 200], ["orders:read admin", 403], ["orders", 403]];
    for (const [scope, status] of cases) {
      await withServer(world.api, async (server) => {
        const answer = await send(server.origin, { headers: await world.fields() });
        assert.equal(answer.status, status, scope);
        if (status === 403) assert.deepEqual([challengesByScheme(answer).DPoP.error, challengesByScheme(answer).DPoP.scope], ["insufficient_scope", scope]);
      }, (api) => serveProtected(api, undefined, { scope }));
    }
  });

  test("reads the scopes of providers that write a list of their own, and finds none where there is none", async () => {
    for (const [claims, status] of [[{ scp: ["a", "b"] }, 200], [{ scp: "a b" }, 200], [{ scope: "c", scp: ["a"] }, 403], [{}, 403], [{ scope: 5 }, 403]]) {
      const world = await makeNodeWorld({}, { claims });
      await withServer(world.api, async (server) => {
        assert.equal((await send(server.origin, { headers: await world.fields() })).status, status, JSON.stringify(claims));
      }, (api) => serveProtected(api, undefined, { scope: "a" }));
    }
  });

  test("decides once about a request, and about the scope as often as it is asked", async () => {
    const world = await makeNodeWorld({}, { claims: { scope: "a" } });
    const results = [];
    const server = await serveHandler(async (request, response) => {
      for (const scope of [undefined, "a", "b"]) results.push((await world.api.protect(request, response, scope && { scope }))?.ok ?? null);
    });
    try {
      const answer = await send(server.origin, { headers: await world.fields() });
      assert.deepEqual([results, answer.status], [[true, true, null], 403]);
    } finally {
      await server.close();
    }
  });

  test("gives every check where it is asked to explain", async () => {
    const world = await makeNodeWorld();
    await withServer(world.api, async (server) => {
      const { text } = await send(server.origin, { headers: await world.fields() });
      assert.ok(JSON.parse(text).length > 5);
    }, (api) => serveProtected(api, (request, response, { trace }) => response.end(JSON.stringify(trace)), { context: { explain: true } }));
  });

  test("a request that was not let in has no acceptance to be read", () => {
    assert.throws(() => node.accepted({ rawHeaders: [], socket: {} }), /no accepted request here/);
  });
});

test("metadata and diagnosis are those of the same options", async () => {
  const { api } = await makeNodeWorld();
  assert.equal(api.metadata(AUDIENCE).resource, AUDIENCE);
  assert.equal(api.metadata(AUDIENCE).tls_client_certificate_bound_access_tokens, false);
  assert.ok(Array.isArray((await api.diagnose()).checks));
  const { api: mutual } = await makeNodeWorld({ certificates: [node.peerCertificate()] });
  assert.equal(mutual.metadata(AUDIENCE).tls_client_certificate_bound_access_tokens, true);
});
