// diagnose() at servers: real ones that lack nothing, and others, each with one fault.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { AUDIENCE, startApi } from "./beside-api.mjs";
import { assertFix, diagnose, failing } from "./diagnose-pages.mjs";
import { challenge, inEveryEngine, serveApi, serveSite } from "./harness.mjs";
import { wantsNonce, withApi } from "./requests-client.mjs";
import { startAuthorizationServer } from "./session-server.mjs";

const BROWSER = ["secure context", "WebAssembly", "algorithms", "key storage", "Web Locks"];
const RESOURCE = ["reach", "CORS", "nonces", "clock", "algorithms", "metadata"].map((name) => `resource: ${name}`);
const ISSUER = ["issuer: metadata", "issuer: algorithms", ...["reach", "CORS", "nonces", "clock"].map((name) => `token endpoint: ${name}`)];

const EXPOSE = "Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate, Date";
const ALLOW = "Access-Control-Allow-Headers: Authorization, DPoP";
const ANYBODY = { "access-control-allow-origin": "*" };
const FIELDS = { "access-control-allow-headers": "Authorization, DPoP" };
const SHOWN = { "access-control-expose-headers": "DPoP-Nonce, WWW-Authenticate, Date" };
const FAR_OFF = 3 * 3600;

/** The refusal that a server should have for what is no token. */
const refusal = { status: 401, headers: { "www-authenticate": 'DPoP error="invalid_token", algs="ES256 PS256"' } };
/** The same for what is no code. */
const noGrant = { status: 400, headers: { "content-type": "application/json" }, body: '{"error":"invalid_grant"}' };
const json = (value) => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(value) });
const page404 = { status: 200, headers: { "content-type": "text/html" }, body: "<!doctype html><title>app</title>" };
const nowhere = { status: 404 };

/** A server that takes connections and says nothing. */
async function serveSilence() {
  const sockets = new Set();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

inEveryEngine("diagnose", ({ open, site }) => {
  /** What `diagnose` says of an API that answers so. */
  const ofApi = (answer, work, cors) =>
    withApi(answer, async (api) => work(await diagnose(await open(), { resource: `${api.origin}/items` }), api), cors && { cors });

  /** What it says of an issuer with these metadata (of its origin) or answers, and a token endpoint that answers so. */
  const ofIssuer = (document, work, { token = noGrant, cors, ...options } = {}) =>
    withApi(
      ({ path, headers: { host } }) => {
        if (path === "/token") return token;
        const found = document(`http://${host}`, path);
        return "status" in found ? found : json({ issuer: `http://${host}`, token_endpoint: `http://${host}/token`, dpop_signing_alg_values_supported: ["ES256"], ...found });
      },
      async (api) => work(await diagnose(await open(), { issuer: api.origin, clientId: "page", ...options }), api),
      cors && { cors },
    );

  test("servers that lack nothing pass all checks, and get no token", async () => {
    const server = await startAuthorizationServer({ redirectUri: `${site().origin}/page.html`, audience: AUDIENCE });
    const api = await startApi({ issuer: server.origin, pageOrigin: site().origin });
    try {
      const page = await open();
      const checks = await diagnose(page, { resource: `${api.origin}/orders`, issuer: server.origin, clientId: "page" });
      assert.deepEqual(failing(checks), [], JSON.stringify([...checks.values()]));
      assert.deepEqual([...checks.keys()], [...BROWSER, ...RESOURCE, ...ISSUER]);
      for (const name of ["resource: nonces", "token endpoint: nonces"]) assert.equal(checks.get(name).detail, "the server asked for a nonce, and took the one it gave");
      assert.equal(checks.get("resource: metadata").detail, `${api.origin}/.well-known/oauth-protected-resource: resource ${api.origin}`);
      assert.deepEqual([checks.get("resource: clock").detail, checks.get("resource: clock").fix], ["within 30 s of the server's", undefined]);
      assert.deepEqual(api.reasons.filter((reason) => reason === null), []);
      assert.deepEqual([...new Set(server.requests.map(({ form }) => form.code))], ["keybound-diagnosis"]);

      const withKey = await page.run(async (options) => (await kb.diagnose({ ...options, key: await kb.DpopKey.open() })).ok, { resource: `${api.origin}/orders`, issuer: server.origin });
      assert.equal(withKey, true);
    } finally {
      await Promise.all([server.close(), api.close()]);
    }
  });

  test("a server that does what it should passes, with a clock that is seen", () =>
    ofApi(({ path, ...request }) => (path.startsWith("/.well-known/") ? nowhere : request.claims?.nonce === "n1" ? refusal : challenge("n1")), (checks, api) => {
      assert.deepEqual(failing(checks), []);
      assert.equal(checks.get("resource: clock").detail, "within 30 s of the server's");
      assert.match(checks.get("resource: metadata").fix, /\/\.well-known\/oauth-protected-resource/);
      assert.deepEqual([...new Set(api.requests.map(({ authorization }) => authorization))], ["DPoP keybound-diagnosis", undefined]);
    }));

  test("a Date that is hidden is no fault, and it is said what would be better", () =>
    ofApi(() => refusal, (checks, api) => {
      assert.deepEqual(failing(checks), []);
      for (const name of ["resource: CORS", "resource: clock"]) assert.match(checks.get(name).fix, new RegExp(`^At ${api.origin}, in every answer.*\n${EXPOSE}$`));
    }, { ...ANYBODY, ...FIELDS, "access-control-expose-headers": "DPoP-Nonce, WWW-Authenticate" }));

  test("CORS that hides the challenge, or the nonce alone, is told the line that is missing", async () => {
    await ofApi(wantsNonce("n1"), (checks, api) => {
      assert.deepEqual(failing(checks), ["resource: CORS", "resource: nonces"]);
      for (const name of failing(checks)) assertFix(checks, name, `At ${api.origin}, in every answer, errors included:\n${EXPOSE}`);
      assert.match(checks.get("resource: CORS").detail, /WWW-Authenticate is hidden/);
    }, { ...ANYBODY, ...FIELDS });
    await ofApi(wantsNonce("n1"), (checks) => {
      assert.deepEqual(failing(checks), ["resource: CORS", "resource: nonces"]);
      for (const name of failing(checks)) assertFix(checks, name, EXPOSE);
      assert.match(checks.get("resource: CORS").detail, /DPoP-Nonce is hidden/);
    }, { ...ANYBODY, ...FIELDS, "access-control-expose-headers": "WWW-Authenticate" });
  });

  test("a preflight that does not allow the two fields, or one of them, is told which", async () => {
    await ofApi(() => refusal, (checks, api) => {
      assert.deepEqual(failing(checks), ["resource: reach"]);
      assertFix(checks, "resource: reach", `which brings no token and is to be answered with 204 all the same:\nAccess-Control-Allow-Origin: ${site().origin}\n${ALLOW}`);
      assert.ok(checks.get("resource: reach").fix.startsWith(`At ${api.origin}, in the answer to OPTIONS`));
    }, { ...ANYBODY, ...SHOWN });
    await ofApi(() => refusal, (checks) => {
      assert.equal(checks.get("resource: reach").detail, "the answer to OPTIONS /items does not allow DPoP");
      assertFix(checks, "resource: reach", `(a * there does not stand for Authorization):\n${ALLOW}`);
    }, { ...ANYBODY, ...SHOWN, "access-control-allow-headers": "Authorization" });
  });

  test("answers without a word for this page's origin are told that word", () =>
    ofApi(() => refusal, (checks, api) => {
      assertFix(checks, "resource: reach", `At ${api.origin}, in every answer, errors included:\nAccess-Control-Allow-Origin: ${site().origin}`);
    }, {}));

  test("a policy of the page that keeps it from asking is told apart", async () => {
    const strict = await serveSite({ headers: { "content-security-policy": "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'" } });
    try {
      await withApi(() => refusal, async (api) => {
        const checks = await diagnose(await open(`${strict.origin}/page.html`), { resource: api.origin, issuer: api.origin });
        const fix = `In the answer that brings this page, connect-src has to name it:\nContent-Security-Policy: connect-src 'self' ${api.origin}`;
        for (const name of ["resource: reach", "issuer: metadata"]) assertFix(checks, name, fix);
      });
    } finally {
      await strict.close();
    }
  });

  test("a server that is down, or never answers, keeps nobody waiting", async () => {
    const gone = await serveApi(() => refusal);
    await gone.close();
    const down = await diagnose(await open(), { resource: gone.origin, issuer: gone.origin });
    assert.deepEqual(failing(down), ["resource: reach", "issuer: metadata"]);
    for (const name of failing(down)) assertFix(down, name, new RegExp(`^Start the server at ${gone.origin}, or correct its URL`));
    const silent = await serveSilence();
    try {
      const started = Date.now();
      const checks = await diagnose(await open(), { resource: silent.origin, issuer: silent.origin, clientId: "page" });
      assert.ok(Date.now() - started < 30_000, `${Date.now() - started} ms`);
      assert.deepEqual(failing(checks), ["resource: reach", "issuer: metadata"]);
      for (const name of failing(checks)) assertFix(checks, name, new RegExp(`^Start the server at ${silent.origin}`));
    } finally {
      await silent.close();
    }
  });

  test("URLs that want no token, are not there, lead elsewhere or are none are told of", async () => {
    const answers = [
      [{ body: "everybody's" }, /^At the API: nobody checks tokens there\. Protect it/],
      [nowhere, /^In this call of diagnose: give the URL of something that GET reads and that wants a token\.$/],
      [{ status: 302, headers: { location: "/other" } }, /^In this page: request the final URL\./],
    ];
    for (const [answer, fix] of answers) await ofApi(() => answer, (checks) => assertFix(checks, "resource: reach", fix));
    const page = await open();
    const none = await diagnose(page, { resource: "http://", issuer: "as.example" });
    assertFix(none, "resource: reach", "`resource` has to be an absolute URL, such as https://api.example/items.");
    assertFix(none, "issuer: metadata", "`issuer` has to be an absolute URL, such as https://as.example.");
    assertFix(await diagnose(page, { resource: "http://api.example/items" }), "resource: reach", "Serve it over https, and name it so: https://api.example");
  });

  test("a server that is never content with its nonces is told how nonces are to be taken", async () => {
    let count = 0;
    const advice = (api) => new RegExp(`^At ${api.origin}: take the nonces that were given in the last minutes \\(RFC 9449 §8\\)\\. Machines behind one name need one secret`);
    await ofApi(() => challenge(`n${++count}`), (checks, api) => {
      assert.deepEqual(failing(checks), ["resource: nonces"]);
      assertFix(checks, "resource: nonces", advice(api));
    });
    const again = { status: 400, headers: { "content-type": "application/json", "dpop-nonce": "same" }, body: '{"error":"use_dpop_nonce"}' };
    await ofIssuer(() => ({}), (checks, api) => {
      assert.deepEqual(failing(checks), ["token endpoint: nonces"]);
      assertFix(checks, "token endpoint: nonces", advice(api));
    }, { token: again });
  });

  test("clocks that are hours apart, either way, are told of with both times", async () => {
    for (const seconds of [FAR_OFF, -FAR_OFF]) {
      const dated = (answer) => ({ ...answer, headers: { ...answer.headers, date: new Date(Date.now() + seconds * 1000).toUTCString() } });
      await ofApi(() => dated(refusal), (checks, api) => {
        assert.deepEqual(failing(checks), ["resource: clock"]);
        const [, off, side] = /^the server's is (\d+) s (ahead of|behind) this machine's$/.exec(checks.get("resource: clock").detail);
        assert.ok(Math.abs(off - FAR_OFF) < 10 && (side === "ahead of") === seconds > 0, `${off} ${side}`);
        assertFix(checks, "resource: clock", new RegExp(`^Set the clock of this machine, or that of ${api.origin}, by the network, whichever is wrong: it is .* GMT here, and .* GMT there\\.$`));
      });
    }
  });

  test("algorithms that do not meet are told of, at the API and at the issuer", async () => {
    const odd = { status: 401, headers: { "www-authenticate": 'DPoP error="invalid_token", algs="ES256K HS256"' } };
    await ofApi(() => odd, (checks, api) => {
      assert.deepEqual(failing(checks), ["resource: algorithms"]);
      assertFix(checks, "resource: algorithms", `At ${api.origin}, in algs of its challenge and dpop_signing_alg_values_supported of its metadata: add "ES256", which every browser knows`);
    });
    await ofIssuer(() => ({ dpop_signing_alg_values_supported: ["ES256K"] }), (checks, api) => {
      assert.deepEqual(failing(checks), ["issuer: algorithms"]);
      assertFix(checks, "issuer: algorithms", `At ${api.origin}, in dpop_signing_alg_values_supported of its metadata: add "ES256", which every browser knows`);
    });
    await ofIssuer(() => ({ dpop_signing_alg_values_supported: undefined }), (checks) => {
      assertFix(checks, "issuer: algorithms", 'switch DPoP on, and say so in the metadata (RFC 9449 §5.1):\n"dpop_signing_alg_values_supported": ["ES256"]');
    });
    await withApi(() => ({ ...refusal, headers: { "www-authenticate": 'DPoP algs="ES384"' } }), async (api) => {
      const page = await open();
      const { checks } = await page.run(async (resource) => kb.diagnose({ resource, key: await kb.DpopKey.open() }), api.origin);
      const { detail, fix } = checks.find(({ name }) => name === "resource: algorithms");
      assert.equal(detail, "it takes ES384; the key is for ES256");
      assert.match(fix, /^In this page: DpopKey\.open\(name, \{ algorithm: "ES384" \}\), with a name that is new\. Or At http/);
    });
  });

  test("an issuer's metadata that are missing, another's, a page, or hidden are told apart", async () => {
    await ofIssuer(() => nowhere, (checks, api) => {
      assert.deepEqual(failing(checks), ["issuer: metadata"]);
      assertFix(checks, "issuer: metadata", `publish the metadata at ${api.origin}/.well-known/oauth-authorization-server (RFC 8414).`);
      assert.match(checks.get("issuer: metadata").fix, /^In this page: give the issuer exactly as the server calls itself, path included\./);
    });
    await ofIssuer(() => ({ issuer: "https://other.example" }), (checks, api) => {
      assertFix(checks, "issuer: metadata", `in its metadata (RFC 8414 §3.3):\n"issuer": "${api.origin}"`);
      assert.match(checks.get("issuer: metadata").fix, /^In this page, if that is the server that is meant: issuer: "https:\/\/other\.example"\./);
    });
    await ofIssuer(() => page404, (checks, api) => {
      assertFix(checks, "issuer: metadata", new RegExp(`^At ${api.origin}: serve the metadata at ${api.origin}/\\.well-known/oauth-authorization-server as application/json\\.`));
      assert.match(checks.get("issuer: metadata").detail, /text\/html, and no JSON object/);
    });
    await ofIssuer(() => ({}), (checks, api) => {
      assertFix(checks, "issuer: metadata", `At ${api.origin}, in the answer for ${api.origin}/.well-known/oauth-authorization-server:\nAccess-Control-Allow-Origin: ${site().origin}`);
    }, { cors: {} });
    // OpenID Connect's place alone is as good.
    await ofIssuer((_, path) => (path === "/.well-known/openid-configuration" ? {} : nowhere), (checks) => assert.deepEqual(failing(checks), []));
  });

  test("a token endpoint that is not named, does not allow proofs or hides its nonces is told of", async () => {
    await ofIssuer(() => ({ token_endpoint: undefined }), (checks) => assertFix(checks, "token endpoint: reach", '(RFC 8414 §2):\n"token_endpoint": "https://…"'));
    await ofIssuer(() => ({}), (checks) => {
      assert.deepEqual(failing(checks), ["token endpoint: reach"]);
      assertFix(checks, "token endpoint: reach", `Access-Control-Allow-Origin: ${site().origin}\nAccess-Control-Allow-Headers: DPoP`);
      assert.match(checks.get("token endpoint: reach").fix, new RegExp(`register ${site().origin} for "page"`));
    }, { cors: { ...ANYBODY, ...SHOWN } });
    const again = { status: 400, headers: { "content-type": "application/json", "dpop-nonce": "n1" }, body: '{"error":"use_dpop_nonce"}' };
    await ofIssuer(() => ({}), (checks) => {
      assert.deepEqual(failing(checks), ["token endpoint: CORS", "token endpoint: nonces"]);
      for (const name of failing(checks)) assertFix(checks, name, EXPOSE);
    }, { token: again, cors: { ...ANYBODY, ...FIELDS } });
  });

  test("an API's metadata that are of another resource, name other issuers, or cannot be read are told of", async () => {
    const declaring = (metadata, named) => ({ path, headers: { host } }) => {
      if (path.startsWith("/.well-known/")) return typeof metadata === "function" ? metadata(`http://${host}`) : metadata;
      const pointer = named ? `, resource_metadata="http://${host}/.well-known/oauth-protected-resource"` : "";
      return { status: 401, headers: { "www-authenticate": `DPoP error="invalid_token", algs="ES256"${pointer}` } };
    };
    await ofApi(declaring(json({ resource: "https://other.example" })), (checks, api) => {
      assert.deepEqual(failing(checks), ["resource: metadata"]);
      assertFix(checks, "resource: metadata", `(RFC 9728 §3.3), or with that part of the path which belongs to it:\n"resource": "${api.origin}"`);
    });
    await ofApi(declaring(page404, true), (checks) => assertFix(checks, "resource: metadata", "serve it there as application/json, or leave resource_metadata out of WWW-Authenticate."));
    // Where nobody points there, a page is a page.
    await ofApi(declaring(page404), (checks) => assert.deepEqual(failing(checks), []));
    await ofApi(declaring((origin) => json({ resource: origin, dpop_signing_alg_values_supported: ["ES256K"] })), (checks) => assert.deepEqual(failing(checks), ["resource: algorithms"]));
    await withApi(declaring((origin) => json({ resource: `${origin}/items`, authorization_servers: ["https://as.example"] })), async (api) => {
      const page = await open();
      const issuer = "https://as.example/other";
      const of = async (resource) => (await page.run(({ resource, issuer }) => kb.diagnose({ resource, issuer }), { resource, issuer })).checks.find(({ name }) => name === "resource: metadata");
      const wrong = await of(`${api.origin}/items/7`);
      assert.match(wrong.detail, /takes tokens of https:\/\/as\.example, not of https:\/\/as\.example\/other/);
      assert.ok(wrong.fix.endsWith(`"authorization_servers": ["${issuer}"]`), wrong.fix);
      assert.match((await of(`${api.origin}/itemsandmore`)).detail, /are of resource/);
    });
  });
});
