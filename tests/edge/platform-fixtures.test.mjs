// What platforms send, by their own documents: the recorded fields in platform-fixtures/ give the thumbprint that stands beside them.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { CERTIFICATE, makeCertificateWorld } from "./certificate-support.mjs";
import { edge } from "./support.mjs";

const folder = new URL("platform-fixtures/", import.meta.url);
const fixtures = await Promise.all((await readdir(folder)).map(async (name) => JSON.parse(await readFile(new URL(name, folder), "utf8"))));

/** What the caller hands over where the platform has no field, as the documentation has it. */
const given = {
  event: ({ path }, { event }) => path.reduce((value, name) => value?.[name], event) ?? null,
  bytes: (_source, { bytes }) => new TextDecoder().decode(Buffer.from(bytes, "base64")) || null,
};

/** The source, as an operator of that platform makes it. */
function sourceFor(source, fixture) {
  if (source.name !== "from") return edge.certificates[source.name](source.options);
  const read = given[source.bytes ? "bytes" : "event"];
  return edge.certificates.from(() => read(source, fixture));
}

test("there are recordings for every platform that cannot be started here", () => {
  const platforms = fixtures.map(({ platform }) => platform).join();
  for (const name of ["Envoy", "Traefik", "Load Balancer, verify", "Load Balancer, passthrough", "CloudFront", "API Gateway", "Azure", "Google", "Fastly"]) {
    assert.ok(platforms.includes(name), name);
  }
});

for (const { platform, document, source, cases } of fixtures) {
  describe(`${platform} (${document})`, () => {
    for (const { name, headers = [], "x5t#S256": x5t, refused, ...fixture } of cases) {
      test(name, async () => {
        const bound = x5t ?? CERTIFICATE.x5t;
        const { present, token } = await makeCertificateWorld({ certificates: [sourceFor(source, fixture)] }, { cnf: { "x5t#S256": bound } });
        const raw = [["authorization", `Bearer ${token}`], ...headers];
        // As `Headers` joins them, and one by one as some platforms can give them.
        for (const decision of [await present({ headers: Object.fromEntries(headers) }), await present({}, { headers: raw })]) {
          assert.equal(decision.reason, refused);
          if (refused === undefined) assert.deepEqual(decision.binding, { "x5t#S256": x5t });
        }
      });
    }
  });
}
