// What a diagnosis looks at in an authorization server.

import type { DiagnosisCheck } from "./index.js";
import {
  ask,
  bad,
  check,
  type Finding,
  good,
  listOf,
  NO_TOKEN,
  overlap,
  pageOrigin,
  passingKey,
  PATIENCE,
  type Published,
  published,
  urlOf,
} from "./check.js";
import { hearRefusals, type Refusals } from "./policy.js";
import { serverChecks } from "./server.js";
import type { DpopKey } from "../key.js";
import { createTokenFetch } from "../token-fetch.js";

const AGAIN = "Try again.";

/** Never rejects, whatever `issuer` is. */
export async function issuerChecks(
  issuer: string | URL,
  key: DpopKey | undefined,
  clientId: string | undefined,
): Promise<DiagnosisCheck[]> {
  const url = urlOf(issuer);
  if (!url) {
    const fix = "In this call of diagnose: `issuer` has to be an absolute URL, such as https://as.example.";
    return [{ name: "issuer: metadata", ...bad(`${String(issuer)} is no URL`, fix) }];
  }
  let metadata: Record<string, unknown> | undefined;
  const refusals = hearRefusals();
  const look = async (): Promise<Finding> => {
    const documents = await Promise.all(places(url).map(published));
    const right = documents.find(({ metadata: read }) => urlOf(read?.["issuer"])?.href === url.href);
    metadata = right?.metadata;
    return right ? good(right.url) : whyNone(url, documents, refusals);
  };
  const first = await check("issuer: metadata", AGAIN, look, 2.5 * PATIENCE);
  refusals.end();
  if (!metadata) return [first];
  const [algorithms, token] = await Promise.all([
    algorithmsOf(url, metadata, key),
    clientId === undefined ? [] : tokenChecks(metadata, key, clientId),
  ]);
  return [first, algorithms, ...token];
}

/** RFC 8414 §3.1, before the path; and OpenID Connect Discovery §4, behind it. */
function places(issuer: URL): URL[] {
  const path = issuer.pathname.replace(/\/$/, "");
  return [`/.well-known/oauth-authorization-server${path}`, `${path}/.well-known/openid-configuration`].map((place) => new URL(place, issuer));
}

async function whyNone(url: URL, documents: readonly Published[], refusals: Refusals): Promise<Finding> {
  const detail = documents.map((document) => document.detail).join("; ");
  const at = `At ${url.origin}`;
  const other = documents.find(({ metadata }) => metadata);
  if (other) {
    // RFC 8414 §3.3: metadata that name another issuer are somebody else's. As URLs, as oauth4webapi compares them.
    const named = JSON.stringify(other.metadata?.["issuer"]) ?? "(none)";
    return bad(
      `the metadata at ${other.url} are of issuer ${named}`,
      `In this page, if that is the server that is meant: issuer: ${named}. Else ${at.replace("At", "at")}, in its metadata (RFC 8414 §3.3):\n` +
        `"issuer": ${JSON.stringify(url.href.replace(/\/$/, ""))}`,
    );
  }
  const page = documents.find(({ problem }) => problem === "no JSON");
  if (page) {
    return bad(
      detail,
      `${at}: serve the metadata at ${page.url} as application/json. Often an application answers every unknown path with its page: ` +
        "leave this one out there.",
    );
  }
  const silent = documents.find(({ problem }) => problem === "unreachable");
  if (!silent) {
    return bad(
      detail,
      "In this page: give the issuer exactly as the server calls itself, path included. " +
        `Else ${at.replace("At", "at")}: publish the metadata at ${documents[0]?.url ?? url.href} (RFC 8414).`,
    );
  }
  const { response } = await ask(silent.url, { mode: "no-cors", redirect: "follow" });
  const refused = await refusals.of(url.origin);
  if (refused) return refused;
  return response
    ? bad(detail, `${at}, in the answer for ${silent.url}:\nAccess-Control-Allow-Origin: ${pageOrigin()}`)
    : bad(detail, `Start the server at ${url.origin}, or correct its URL; and open it in a tab of its own, to see whether its certificate is good.`);
}

function algorithmsOf(url: URL, metadata: Record<string, unknown>, key: DpopKey | undefined): Promise<DiagnosisCheck> {
  const offered = listOf(metadata["dpop_signing_alg_values_supported"]);
  return check("issuer: algorithms", AGAIN, () =>
    offered
      ? overlap(offered, key, `At ${url.origin}, in dpop_signing_alg_values_supported of its metadata`)
      : bad(
          "its metadata say nothing of DPoP",
          `At ${url.origin}: switch DPoP on, and say so in the metadata (RFC 9449 §5.1):\n"dpop_signing_alg_values_supported": ["ES256"]`,
        ),
  );
}

/** Asks for a token with a code that is none. */
async function tokenChecks(metadata: Record<string, unknown>, key: DpopKey | undefined, clientId: string): Promise<DiagnosisCheck[]> {
  const url = urlOf(metadata["token_endpoint"]);
  if (!url) {
    const fix = 'At the authorization server, in its metadata (RFC 8414 §2):\n"token_endpoint": "https://…"';
    return [{ name: "token endpoint: reach", ...bad("the metadata name no token_endpoint", fix) }];
  }
  const form = {
    grant_type: "authorization_code",
    code: NO_TOKEN,
    client_id: clientId,
    redirect_uri: `${pageOrigin()}/`,
    // RFC 7636 §4.1: at least 43 characters.
    code_verifier: NO_TOKEN.repeat(3),
  };
  const plain = { method: "POST", body: new URLSearchParams(form) };
  return serverChecks(
    {
      name: "token endpoint",
      url,
      role: "as",
      plain,
      fields: ["DPoP"],
      hint: `Many servers want to be told the origins of each client: register ${pageOrigin()} for ${JSON.stringify(clientId)}, if that is its name. `,
      async send({ signal, ...seam }) {
        const call = createTokenFetch({ ...seam, key: key ?? (await passingKey()), origins: [url] });
        return call(url, { ...plain, signal, cache: "no-store" });
      },
    },
    async () => [],
  );
}
