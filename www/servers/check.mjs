// @ts-check
// Plays the demo's story in headless Chromium, as a person would, and prints what was observed at each step.

import { Report } from "./check-report.mjs";
import { openBrowser } from "./check-browser.mjs";
import { takePictures } from "./check-pictures.mjs";

const NAME = "ada";

/** What the API must answer to each theft: its status, error and reason, as the page shows them. */
const THEFTS = [
  { id: "theft-bearer", name: "theft 1: token as Bearer", expected: "401 invalid_token (dpop_token_as_bearer)" },
  { id: "theft-own-key", name: "theft 2: token with another key's proof", expected: "401 invalid_token (jkt_mismatch)" },
  { id: "theft-replay", name: "theft 3: captured proof replayed", expected: "401 invalid_dpop_proof (proof_replayed)" },
  { id: "theft-elsewhere", name: "theft 4: captured proof on another URL", expected: "401 invalid_dpop_proof (htu_path_mismatch)" },
];
const MACHINE_CALLS = [
  { id: "call-own", name: "machine: right certificate", expected: "200" },
  { id: "call-neighbour", name: "machine: other certificate of the same authority", expected: "401 invalid_token (certificate_mismatch)" },
  { id: "call-lookalike", name: "machine: self-signed certificate with the right name", expected: "401 invalid_token (certificate_unverified)" },
  { id: "call-none", name: "machine: no certificate", expected: "401 invalid_token (certificate_missing)" },
];
/** What a person may paste into the inspector, and what must be said about it. */
const GARBAGE = [
  { name: "words", pasted: "not a proof", expected: /three parts, separated by dots/ },
  { name: "two proofs", pasted: "a.b.c, a.b.c", expected: /comma/ },
  { name: "an encrypted token", pasted: "a.b.c.d.e", expected: /encrypted/ },
  { name: "the other base64", pasted: "eyJ+.e30.AA", expected: /character 4.*"\+"/ },
  { name: "padding", pasted: "eyJ9.e30=.AA", expected: /padding/ },
  { name: "a cut header", pasted: "eyJ0eXAi.e30.AA", expected: /header is not JSON/ },
  { name: "no signature", pasted: "e30.e30.", expected: /signature is empty/ },
  { name: "too long", pasted: `${"A".repeat(17_000)}.e30.AA`, expected: /16 KiB/ },
  { name: "an access token", pasted: token({ typ: "at+jwt", alg: "ES256" }, { sub: NAME }), expected: /access token.*not a proof/ },
  { name: "a private key in the header", pasted: token({ typ: "dpop+jwt", alg: "ES256", jwk: { kty: "EC", d: "AA" } }, {}), expected: /private members \(d\)/ },
  { name: "alg none", pasted: token({ typ: "dpop+jwt", alg: "none" }, {}), expected: /"none" is forbidden/ },
];

/**
 * @typedef {import("playwright-core").Page} Page
 * @typedef {import("./start.mjs").Demo} Demo
 */

/**
 * @param {Demo} demo
 * @returns {Promise<number>} The exit code.
 */
export async function checkStory(demo) {
  const report = new Report();
  const browser = await openBrowser();
  demo.alsoStop(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(20_000);
  /** @type {string[]} */
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  // Refusals are the point of the story; the browser logs each as a failed resource.
  page.on("console", (message) => message.type() === "error" && !message.text().startsWith("Failed to load resource") && complaints.push(message.text()));
  const pictures = takePictures(page);
  try {
    await page.goto(demo.addresses.page);
    await tellStory(page, report, demo, pictures);
    await report.step("the page complained of nothing (script errors, Content-Security-Policy)", complaints.join("; ") || "nothing", "nothing");
    await pictures.of("page", { fullPage: true });
  } catch (error) {
    report.broken(error, await failedSteps(page));
  } finally {
    await browser.close();
  }
  if (report.failed > 0) for (const log of demo.logs.filter(({ isEmpty }) => !isEmpty)) console.log(String(log));
  return report.finish();
}

/**
 * @param {Page} page
 * @param {Report} report
 * @param {Demo} demo
 * @param {ReturnType<typeof takePictures>} pictures
 */
async function tellStory(page, report, demo, pictures) {
  report.step("keyboard: Tab comes to the first step", await tabTo(page, "#step-key button"), /^after \d+ keys$/);
  await page.keyboard.press("Enter");
  await ended(page, "step-key");
  const thumbprint = await text(page, "#thumbprint");
  report.step("key made", `thumbprint ${thumbprint}`, /^thumbprint [A-Za-z0-9_-]{43}$/);
  report.step("private key is not extractable", await text(page, "#step-key .verdict code"), /^InvalidAccessError/);

  await page.click("#step-token button");
  await page.waitForSelector("input[name=name], #step-token[data-state=failed]");
  await page.fill("input[name=name]", NAME);
  await pictures.of("sign-in");
  await page.click("button[type=submit]");
  report.step("signed in at the authorization server", `as ${NAME}, at ${new URL(page.url()).origin}`, `as ${NAME}, at ${demo.addresses.issuer}`);
  report.step("consent names the key", await text(page, ".thumbprint"), thumbprint);
  await pictures.of("consent");
  await page.click("button[value=allow]");
  await ended(page, "step-token");
  const [bound, own] = await page.locator("#step-token .equal dd").allInnerTexts();
  report.step("token bound: cnf.jkt equals the thumbprint", bound, own === thumbprint ? thumbprint : `the page's key, but that is now ${own}`);

  await run(page, "step-call");
  report.step("API call with token and proof", await codes(page, "step-call"), "200");
  await page.fill("#note", "Nobody but my key wrote this.");
  await page.click("#add-note button");
  await page.waitForSelector("#step-call .notes li:nth-child(3)");
  report.step("API call that writes", `${await codes(page, "step-call")}, ${await text(page, "#step-call .notes li:nth-child(3)")}`, `200, Nobody but my key wrote this. ${NAME}`);
  for (const { id, name, expected } of THEFTS) {
    await run(page, id);
    report.step(name, await codes(page, id), expected);
  }

  await page.click("#all-calls");
  for (const { id, name, expected } of MACHINE_CALLS) {
    await ended(page, id);
    report.step(name, await codes(page, id), expected);
  }
  report.step("machine: no certificate, but a forged report of one", await forgedCall(page), "401 invalid_token (certificate_missing)");

  await page.click("#inspect-last");
  report.step("inspector: the last proof", await text(page, "#reading li"), /signature verifies/);
  for (const { name, pasted, expected } of GARBAGE) {
    await page.fill("#inspected", pasted);
    report.step(`inspector: ${name}`, await page.locator("#reading li", { hasText: expected }).first().innerText(), expected);
  }
  await page.click("#inspect-example");

  await page.setViewportSize({ width: 360, height: 740 });
  report.step("page fits a phone", `${await page.evaluate(() => document.documentElement.scrollWidth)} of 360 px`, "360 of 360 px");
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** What the page says of steps that failed. @param {Page} page */
async function failedSteps(page) {
  const said = await page.locator("[data-state=failed] .outcome").allInnerTexts().catch(() => []);
  return said.map((words) => words.replaceAll(/\s+/g, " ").trim());
}

/** Presses a step's button and waits for its end. @param {Page} page @param {string} id */
async function run(page, id) {
  await page.click(`#${id} button`);
  await ended(page, id);
}

/** @param {Page} page @param {string} id */
function ended(page, id) {
  return page.waitForSelector(`#${id}[data-state=done], #${id}[data-state=failed]`);
}

/** What the page shows of the API's answer, as "401 error (reason)". @param {Page} page @param {string} id */
async function codes(page, id) {
  const chips = await page.locator(`#${id} .outcome .chip`).evaluateAll((all) => all.map((chip) => [chip.getAttribute("data-code"), chip.textContent]));
  if (chips.length === 0) return (await text(page, `#${id} .outcome`)).replaceAll("\n", " ");
  return inWords(Object.fromEntries(chips));
}

/** A call that the page has no button for: the server must not believe what a client writes into the front's own header. @param {Page} page */
async function forgedCall(page) {
  const { response } = await page.evaluate(async () => (await fetch("/machine?presents=forged", { method: "POST" })).json());
  return inWords({ status: response.status, error: response.body.error, reason: response.body.reason });
}

/** @param {{ status?: string, error?: string, reason?: string }} answer */
function inWords({ status, error, reason }) {
  return [status, error, reason && `(${reason})`].filter(Boolean).join(" ");
}

/** @param {Page} page @param {string} selector */
function text(page, selector) {
  return page.locator(selector).first().innerText();
}

/** Presses Tab until an element has the focus. @param {Page} page @param {string} selector */
async function tabTo(page, selector) {
  for (let presses = 1; presses <= 20; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.locator(selector).evaluate((element) => element === document.activeElement)) return `after ${presses} keys`;
  }
  return "never";
}

/** Something of a token's form. @param {object} header @param {object} payload */
function token(header, payload) {
  return [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".") + ".AA";
}
