// @ts-check
// The authorization server's own pages: who are you (any name will do), and may this page have a token.

import { readFileSync } from "node:fs";
import { SCOPES } from "./clients.mjs";
import { html } from "./html.mjs";

const page = (/** @type {string} */ file) => readFileSync(new URL(`../page/styles/${file}`, import.meta.url));
const STYLES = Buffer.concat([page("tokens.css"), page("base.css"), page("sign-in.css")]);

/**
 * @typedef {import("node:http").IncomingMessage} Request
 * @typedef {import("node:http").ServerResponse} Answer
 * @typedef {{ uid: string, prompt: { name: string, details: Details }, params: Record<string, string>, session?: { accountId: string }, grantId?: string }} Interaction
 * @typedef {{ missingOIDCScope?: string[], missingResourceScopes?: Record<string, string[]> }} Details
 */

/**
 * @param {import("oidc-provider").Provider} provider
 * @param {{ issuer: string, pageOrigin: string, log: import("./failure.mjs").ServerLog }} options
 * @returns {(request: Request, answer: Answer) => boolean} False: not one of these pages.
 */
export function createSignInPages(provider, { issuer, pageOrigin, log }) {
  // The form's answer ends, through redirects, at the page: so its origin is named for form-action.
  const policy = `default-src 'none'; style-src 'self'; form-action 'self' ${pageOrigin}; base-uri 'none'; frame-ancestors 'none'`;

  /** @param {Request} request @param {Answer} answer */
  async function serve(request, answer) {
    const interaction = /** @type {Interaction} */ (await provider.interactionDetails(request, answer));
    if (request.method === "POST") {
      const result = await decide(provider, interaction, await readForm(request));
      return provider.interactionFinished(request, answer, result, { mergeWithLastSubmission: true });
    }
    const body = interaction.prompt.name === "login" ? loginPage(issuer) : consentPage(issuer, pageOrigin, interaction);
    answer.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, "cache-control": "no-store" });
    answer.end(String(body));
  }

  return (request, answer) => {
    if (request.url === "/sign-in.css") {
      answer.writeHead(200, { "content-type": "text/css; charset=utf-8" }).end(STYLES);
      return true;
    }
    if (!request.url?.startsWith("/sign-in/")) return false;
    serve(request, answer).catch((error) => {
      log.add(`${request.method} ${request.url}: ${error.stack ?? error}`);
      if (!answer.headersSent) answer.writeHead(400, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy });
      answer.end(String(expiredPage(issuer, pageOrigin)));
    });
    return true;
  };
}

/**
 * What the person's answer means to oidc-provider.
 * @param {import("oidc-provider").Provider} provider
 * @param {Interaction} interaction
 * @param {URLSearchParams} form
 */
async function decide(provider, { prompt, params, session, grantId }, form) {
  if (form.get("answer") === "deny") return { error: "access_denied", error_description: "The person said no." };
  if (prompt.name === "login") return { login: { accountId: (form.get("name") ?? "").trim().slice(0, 64) || "ada" } };

  const grant = (grantId && (await provider.Grant.find(grantId))) || new provider.Grant({ accountId: session?.accountId, clientId: params.client_id });
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) grant.addResourceScope(resource, scopes.join(" "));
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(" "));
  return { consent: { grantId: await grant.save() } };
}

/** @param {Request} request @returns {Promise<URLSearchParams>} */
async function readForm(request) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 4096) throw new Error("the form is too long");
  }
  return new URLSearchParams(body);
}

/** @param {string} issuer */
function loginPage(issuer) {
  return layout("Sign in", issuer, html`
    <h1>Sign in</h1>
    <p>Any name will do: this server belongs to the demo and keeps nothing.</p>
    <form method="post" autocomplete="off">
      <label for="name">Your name</label>
      <input id="name" name="name" value="ada" required maxlength="64" autocapitalize="none" spellcheck="false" autofocus />
      <button class="button primary" type="submit">Continue</button>
    </form>`);
}

/** @param {string} issuer @param {string} pageOrigin @param {Interaction} interaction */
function consentPage(issuer, pageOrigin, { params, session }) {
  const scopes = params.scope.split(" ").map((scope) => html`<li><span>${SCOPES[/** @type {keyof SCOPES} */ (scope)] ?? scope}</span> <code>${scope}</code></li>`);
  return layout("Allow access", issuer, html`
    <h1>Let <em>Notes</em> in?</h1>
    <p>${session?.accountId}, the page at <code>${pageOrigin}</code> would like to:</p>
    <ul class="scopes">${scopes}</ul>
    <p class="bound">
      Its access token will work only together with the key that has this thumbprint:
      <code class="thumbprint">${params.dpop_jkt}</code>
    </p>
    <form method="post" class="answers">
      <button class="button primary" type="submit" name="answer" value="allow">Allow</button>
      <button class="button" type="submit" name="answer" value="deny">Deny</button>
    </form>`);
}

/** @param {string} issuer @param {string} pageOrigin */
function expiredPage(issuer, pageOrigin) {
  return layout("Start again", issuer, html`
    <h1>This sign-in is over</h1>
    <p>It was finished, took too long, or the demo was started anew.</p>
    <p><a class="button primary" href="${pageOrigin}">Back to the page</a></p>`);
}

/** @param {string} title @param {string} issuer @param {import("./html.mjs").Html} content */
function layout(title, issuer, content) {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8" />
  <meta name="viewport" content="width=device-width, initial-scale=1" />
  <meta name="color-scheme" content="light dark" />
  <title>${title} · Demo authorization server</title>
  <link rel="stylesheet" href="/sign-in.css" />
</head>
<body class="sign-in">
  <main class="panel">
    <p class="where">Authorization server <code>${issuer}</code></p>
    ${content}
  </main>
</body>
</html>`;
}
