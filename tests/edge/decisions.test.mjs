// What a server tells of its decisions: an event for each, and a trace for those who ask.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeClient, makeRequest, makeWorld } from "./support.mjs";
import { CERTIFICATE, OTHER } from "./certificate-support.mjs";

describe("onDecision", () => {
  const observed = async (options = {}) => {
    const events = [];
    const world = await makeWorld({ onDecision: (event) => events.push(event), ...options });
    return { ...world, events };
  };

  test("is called once for every decision, whatever it is", async () => {
    const { server, ask, request, token, client, events } = await observed({ publicUrl: ["https://api.example"] });
    const replayed = await request();
    const decisions = [
      await server.authenticate(makeRequest()),
      await server.authenticate(replayed),
      await server.authenticate(replayed),
      await ask({ proof: { htm: "POST" } }),
      await ask({ url: "https://evil.example/" }),
      await server.authenticate(makeRequest({ token, scheme: "Bearer" })),
      await server.authenticate(makeRequest({ token, proof: await (await makeClient()).proof({ token }) })),
      await ask(),
    ];
    assert.equal(client.jkt.length, 43);
    assert.deepEqual(
      events.map(({ ok, error, reason }) => [ok, error, reason]),
      decisions.map(({ ok, error, reason }) => [ok, error, reason]),
    );
  });

  test("that rejects disturbs nobody", async () => {
    const unhandled = [];
    const note = (reason) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const { ask } = await makeWorld({ onDecision: async () => { throw new Error("no metrics today"); } });
      assert.equal((await ask()).ok, true);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(unhandled, []);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  test("is called for faults of this server as well", async () => {
    for (const options of [
      { replay: { claim: () => { throw new Error(); } } },
      { tokens: { resolve: () => { throw new Error(); } } },
      { nonce: { required: true, current: () => { throw new Error(); }, check: () => "current" } },
    ]) {
      const { ask, events } = await observed(options);
      const { reason } = await ask();
      assert.deepEqual(events.map((event) => [event.ok, event.error, event.reason]), [[false, null, reason]]);
    }
  });

  test("tells mechanism, key and time of an acceptance", async () => {
    const { ask, client, events } = await observed();
    await ask();
    const [{ durationMs, ...event }] = events;
    assert.deepEqual(event, { ok: true, mechanisms: ["dpop"], jkt: client.jkt });
    assert.ok(durationMs >= 0 && durationMs < 60_000);
  });

  test("never sees a token, a proof or claims", async () => {
    const { ask, server, request, token, events } = await observed();
    const good = await request();
    const secrets = [token, good.headers.get("dpop"), "alice", ...token.split("."), ...good.headers.get("dpop").split(".")];
    await server.authenticate(good);
    await server.authenticate(good);
    await ask({ proof: { htm: "POST" } });
    await server.authenticate(makeRequest({ token, scheme: "Bearer" }));
    const told = JSON.stringify(events);
    for (const secret of secrets) assert.ok(!told.includes(secret), secret);
  });

  test("decides nothing, also when it throws", async () => {
    const { ask } = await makeWorld({ onDecision: () => { throw new Error("metrics are down"); } });
    assert.equal((await ask()).ok, true);
    assert.equal((await ask({ proof: { htm: "POST" } })).reason, "htm_mismatch");
  });

  test("is not called by answering", async () => {
    const { ask, events } = await observed();
    (await ask()).finish(new Response());
    (await ask()).forbid("a");
    (await ask({ proof: { htm: "POST" } })).response();
    assert.equal(events.length, 3);
  });
});

describe("explain", () => {
  const ORDER = [
    "credentials", "proof_field", "proof_size", "proof_form", "proof_typ", "proof_alg", "proof_jwk", "proof_crit", "proof_claims",
    "proof_htm", "proof_htu", "proof_iat", "proof_ath", "proof_nonce", "token", "token_signature", "proof_signature",
    "confirmation", "key_binding", "certificate_binding", "replay",
  ];
  const explain = { context: { explain: true } };
  const results = (trace) => Object.fromEntries(trace.map(({ check, ok }) => [check, ok]));

  test("gives every check in order, with where the standards ask for it", async () => {
    const { trace } = await (await makeWorld()).ask(explain);
    assert.deepEqual(trace.map(({ check }) => check), ORDER);
    for (const { rfc } of trace) assert.match(rfc, /^RFC \d{4} §/);
  });

  test("says nothing unless asked", async () => {
    const world = await makeWorld();
    assert.equal("trace" in (await world.ask()), false);
    assert.equal("trace" in (await world.ask({ proof: { htm: "POST" } })), false);
  });

  test("an accepted proof passed every check but those that nobody asked for", async () => {
    const { trace } = await (await makeWorld()).ask(explain);
    const expected = Object.fromEntries(ORDER.map((check) => [check, !["proof_nonce", "certificate_binding"].includes(check) || null]));
    assert.deepEqual(results(trace), expected);
  });

  test("nonces and replay marks count where they are this server's matter", async () => {
    const world = await makeWorld({ nonce: { required: true, current: () => "n", check: () => "current" }, replay: "external" });
    const { trace } = await world.ask({ nonce: "n", ...explain });
    assert.deepEqual([results(trace).proof_nonce, results(trace).replay], [true, null]);
  });

  test("a refusal names one check, passed those before and made none after", async () => {
    const world = await makeWorld();
    const replayed = await world.request();
    await world.server.authenticate(replayed);
    const thief = await makeClient();
    for (const [decision, failed] of [
      [await world.server.authenticate(makeRequest(), { explain: true }), "credentials"],
      [await world.server.authenticate(makeRequest({ token: world.token }), { explain: true }), "proof_field"],
      [await world.ask({ proof: { htm: "POST" }, ...explain }), "proof_htm"],
      [await world.ask({ proof: { iat: 1 }, ...explain }), "proof_iat"],
      [await world.ask({ token: await world.issuer.token({ aud: "other", cnf: world.client.cnf }), ...explain }), "token"],
      [await world.ask({ token: await world.issuer.token({ header: { kid: "k9" }, cnf: world.client.cnf }), ...explain }), "token_signature"],
      [await world.ask({ token: await world.issuer.token(), ...explain }), "confirmation"],
      [await world.server.authenticate(makeRequest({ token: world.token, proof: await thief.proof({ token: world.token }) }), { explain: true }), "key_binding"],
      [await world.server.authenticate(replayed, { explain: true }), "replay"],
    ]) {
      const at = decision.trace.findIndex(({ ok }) => ok === false);
      assert.equal(decision.trace[at].check, failed);
      assert.equal(decision.trace[at].detail, decision.detail);
      assert.equal(decision.trace.filter(({ ok }) => ok === false).length, 1);
      assert.ok(decision.trace.slice(at + 1).every(({ ok }) => ok === null), failed);
      const skipped = ["proof_nonce", "certificate_binding"];
      assert.ok(decision.trace.slice(0, at).every(({ check, ok }) => ok === true || skipped.includes(check)), failed);
    }
  });

  test("a bearer token has no proof to check", async () => {
    const world = await makeWorld({ proofOfPossession: { required: false } });
    const { trace } = await world.server.authenticate(makeRequest({ token: await world.issuer.token(), scheme: "Bearer" }), { explain: true });
    const made = trace.filter(({ ok }) => ok !== null).map(({ check }) => check);
    assert.deepEqual(made, ["credentials", "token", "token_signature", "confirmation"]);
  });

  test("a certificate that was looked at is told, also where something after it failed", async () => {
    const world = await makeWorld();
    const token = await world.issuer.token({ cnf: { ...world.client.cnf, "x5t#S256": CERTIFICATE.x5t } });
    const request = await world.request({ token });
    const ask = (certificate) => world.server.authenticate(request, { explain: true, certificate: certificate.der });
    assert.equal(results((await ask(OTHER)).trace).certificate_binding, false);
    assert.equal(results((await ask(CERTIFICATE)).trace).certificate_binding, true);
    const replayed = results((await ask(CERTIFICATE)).trace);
    assert.deepEqual([replayed.certificate_binding, replayed.replay], [true, false]);
  });
});
