// The first calls of the package's README run as they stand, against real servers; the page of troubles names every trouble.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../support/paths.mjs";
import { inEveryEngineBeside } from "./beside-pages.mjs";

const blocksOf = (text) => [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, block]) => block);
const readme = await readFile(join(root, "pkg-templates/browser/README.md"), "utf8");
const blocks = blocksOf(readme);
const [firstCall] = blocks;
const login = blocks.find((block) => block.includes("createSession({"));

/** What a page has to fill in stands in `filled`. */
const fill = (block, filled) => Object.entries(filled).reduce((text, [written, meant]) => {
  assert.ok(text.includes(written), `the README has ${written}`);
  return text.replaceAll(written, meant);
}, block);

/** A block as a function: its imports first, and what it ends with is the result. */
function asFunction(name, parameters, block) {
  const lines = block.trim().split("\n");
  const isImport = (line) => line.startsWith("import ");
  return `${lines.filter(isImport).join("\n")}\nglobalThis.${name} = async (${parameters}) => {\n${lines.filter((line) => !isImport(line)).join("\n")}\nreturn response;\n};`;
}

const SCRIPT = `
import * as oauth from "oauth4webapi";
${asFunction("firstCall", "{ accessToken, api: origin }", fill(firstCall, { '"https://api.example"': "origin", '"https://api.example/items"': 'origin + "/items"' }))}
${asFunction("loginAndCall", "{ issuer, api: origin }", fill(login, {
  '"https://as.example"': "issuer", '"my-page"': '"page"', '"openid offline_access"': '"openid orders"', '"https://app.example/back"': "redirectUri",
  '"https://api.example"': "origin", '"https://api.example/items"': 'origin + "/items"',
}))}
const plain = { [oauth.allowInsecureRequests]: true };
globalThis.discover = async (issuer) => oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), plain));
Object.assign(globalThis, { oauth, plain });`;

inEveryEngineBeside("the README", SCRIPT, ({ openPage, withServers, goAndComeBack }) => {
  test("begins with a call of ten lines, which works with a token that createTokenFetch got", () =>
    withServers(async ({ server, api }) => {
      assert.ok(readme.indexOf("```js") < 40, "it comes first");
      assert.ok(firstCall.trim().split("\n").length <= 10, firstCall);
      const page = await openPage();
      await goAndComeBack(page, async (issuer) => {
        const key = await kb.DpopKey.open();
        const verifier = oauth.generateRandomCodeVerifier();
        sessionStorage.setItem("verifier", verifier);
        const url = new URL((await discover(issuer)).authorization_endpoint);
        url.search = new URLSearchParams({
          client_id: "page", response_type: "code", redirect_uri: redirectUri, scope: "openid orders", dpop_jkt: key.thumbprint,
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
        });
        location.assign(url);
      }, server.origin);
      const seen = await page.run(async ({ issuer, api }) => {
        const key = await kb.DpopKey.open();
        const [as, client] = [await discover(issuer), { client_id: "page" }];
        const params = oauth.validateAuthResponse(as, client, new URL(location.href), oauth.expectNoState);
        const options = { ...plain, [oauth.customFetch]: kb.createTokenFetch({ key, origins: [issuer] }) };
        const answer = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), params, redirectUri, sessionStorage.getItem("verifier"), options);
        const { access_token } = await oauth.processAuthorizationCodeResponse(as, client, answer);
        const response = await firstCall({ accessToken: access_token, api });
        return { status: response.status, ...(await response.json()), thumbprint: key.thumbprint };
      }, { issuer: server.origin, api: api.origin });
      assert.deepEqual([seen.status, seen.sub, seen.jkt], [200, "ada", seen.thumbprint]);
    }));

  test("shows a login, which goes to the server and back and ends with an answer of the API", () =>
    withServers(async ({ server, api }) => {
      const page = await openPage();
      const where = { issuer: server.origin, api: api.origin };
      await goAndComeBack(page, (where) => void loginAndCall(where).catch(() => {}), where);
      const seen = await page.run(async (where) => {
        const response = await loginAndCall(where);
        return [response.status, (await response.json()).sub];
      }, where);
      assert.deepEqual(seen, [200, "ada"]);
    }));
});

test("the page of troubles has every code and every event", async () => {
  const read = (file) => readFile(join(root, file), "utf8");
  const page = await read("docs/browser-troubles.md");
  const [errors, events] = [await read("pkg-templates/browser/src/errors.ts"), await read("pkg-templates/browser/src/events.ts")];
  const codes = [...errors.split("/** The header line")[0].matchAll(/^  \| "(\w+)"/gm)].map(([, code]) => code);
  const types = [...events.matchAll(/type: "(\w+)"/g)].map(([, type]) => type);
  assert.ok(codes.length >= 23 && types.length >= 4, `${codes} ${types}`);
  assert.deepEqual([...codes, ...types].filter((word) => !page.includes(`\`${word}\``)), []);
});
