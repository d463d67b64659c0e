// What a diagnosis looks at in an API.

import type { DiagnosisCheck } from "./index.js";
import { bad, check, type Finding, good, listOf, NO_TOKEN, overlap, passingKey, type Published, published, urlOf } from "./check.js";
import { type Seen, serverChecks } from "./server.js";
import { createFetch } from "../fetch.js";
import type { DpopKey } from "../key.js";

const AGAIN = "Try again.";

/** Never rejects, whatever `resource` is. */
export async function resourceChecks(
  resource: string | URL,
  issuer: string | URL | undefined,
  key: DpopKey | undefined,
): Promise<DiagnosisCheck[]> {
  const url = urlOf(resource, globalThis.location?.href);
  if (!url) {
    const fix = "In this call of diagnose: `resource` has to be an absolute URL, such as https://api.example/items.";
    return [{ name: "resource: reach", ...bad(`${String(resource)} is no URL`, fix) }];
  }
  return serverChecks(
    {
      name: "resource",
      url,
      role: "rs",
      plain: {},
      fields: ["Authorization", "DPoP"],
      async send({ signal, ...seam }) {
        const call = createFetch({ ...seam, key: key ?? (await passingKey()), token: NO_TOKEN, origins: [url] });
        return call(url, { signal, cache: "no-store" });
      },
    },
    (seen) => declared(url, issuer, key, seen),
  );
}

/** What the API says of itself, in its challenge (RFC 9449 §7.1) and in its metadata (RFC 9728). */
async function declared(
  url: URL,
  issuer: string | URL | undefined,
  key: DpopKey | undefined,
  { response }: Seen,
): Promise<DiagnosisCheck[]> {
  const challenge = response?.headers.get("www-authenticate") ?? "";
  const found = await metadataOf(url, parameter(challenge, "resource_metadata"));
  const offered = listOf(found?.metadata?.["dpop_signing_alg_values_supported"]) ?? parameter(challenge, "algs")?.split(" ");
  return Promise.all([
    check("resource: algorithms", AGAIN, () =>
      offered
        ? overlap(offered, key, `At ${url.origin}, in algs of its challenge and dpop_signing_alg_values_supported of its metadata`)
        : good("the API does not say which it takes", `At ${url.origin}, in its answers with 401:\nWWW-Authenticate: DPoP algs="ES256"`),
    ),
    check("resource: metadata", AGAIN, () => judged(url, issuer, found)),
  ]);
}

/** The value of a parameter that stands in quotation marks, as these do. */
const parameter = (challenge: string, name: string): string | undefined =>
  new RegExp(`[\\s,]${name}\\s*=\\s*"([^"]*)"`, "i").exec(challenge)?.[1];

/** RFC 9728 §5.1: where the challenge says; else §3.1: before the path, or before none. */
async function metadataOf(url: URL, named: string | undefined): Promise<Published | undefined> {
  if (named !== undefined) {
    const at = urlOf(named);
    return at ? published(at) : { url: named, problem: "no JSON", detail: `${named} is no URL` };
  }
  const paths = new Set([url.pathname.replace(/\/$/, ""), ""]);
  const all = await Promise.all([...paths].map((path) => published(new URL(`/.well-known/oauth-protected-resource${path}`, url))));
  // Nobody pointed there: what is not there, or is an application's page, is not missed.
  return all.find(({ metadata }) => metadata);
}

function judged(url: URL, issuer: string | URL | undefined, found: Published | undefined): Finding {
  const at = `At ${url.origin}`;
  if (!found) {
    return good(
      "none that this page can read",
      `${at}: publish it at ${url.origin}/.well-known/oauth-protected-resource, so that clients learn what the API wants ` +
        "(RFC 9728; in @keybound/edge: metadata()).",
    );
  }
  const { metadata, detail, problem, url: place } = found;
  if (!metadata) {
    return bad(
      `the challenge names metadata that cannot be read: ${detail}`,
      problem === "unreachable"
        ? `${at}, in the answer for ${place}:\nAccess-Control-Allow-Origin: *`
        : `${at}: serve it there as application/json, or leave resource_metadata out of WWW-Authenticate.`,
    );
  }
  const { resource } = metadata;
  if (!belongs(url, resource)) {
    return bad(
      `the metadata at ${place} are of resource ${JSON.stringify(resource) ?? "(none)"}`,
      `${at}, in ${place} (RFC 9728 §3.3), or with that part of the path which belongs to it:\n"resource": ${JSON.stringify(url.origin)}`,
    );
  }
  const servers = listOf(metadata["authorization_servers"]);
  if (issuer !== undefined && servers && !servers.some((server) => same(server, issuer))) {
    return bad(
      `the API takes tokens of ${servers.join(", ") || "nobody"}, not of ${String(issuer)}`,
      `Log in at the server that is named there; or ${at.replace("At", "at")}, in its own options and in ${place}:\n` +
        `"authorization_servers": [${JSON.stringify(String(issuer))}]`,
    );
  }
  return good(`${place}: resource ${String(resource)}`);
}

/** RFC 9728 §3.3, except that many APIs are one resource with many URLs. */
function belongs(url: URL, resource: unknown): boolean {
  const named = urlOf(resource);
  const path = named?.pathname.replace(/\/$/, "");
  return named?.origin === url.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`));
}

/** As URLs: one / at the end more or less is no difference. */
const same = (one: string, other: string | URL): boolean => urlOf(one)?.href === urlOf(other)?.href;
