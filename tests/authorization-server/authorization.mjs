// Pushed authorization requests (RFC 9126) and the authorization endpoint, where the one person there is agrees to everything.
import { OAuthError, json, onceEach, readForm } from "./answers.mjs";
import { clientType, grantedScope } from "./clients.mjs";

const PUSHED = "urn:ietf:params:oauth:request_uri:";

/** RFC 9126 §2. */
export function pushedRequests({ sender, clients, pushed, seconds }) {
  return async (request, connection) => {
    const form = await readForm(request);
    const client = await clients.authenticate(request, form);
    if (form.has("request_uri")) throw new OAuthError("invalid_request", "request_uri has no place in a pushed request");
    form.set("client_id", client.client_id);
    checkAuthorizationRequest(client, form);
    // RFC 9449 §10.1: the key may be told by parameter, by proof or by both, which must then agree.
    const binding = await sender.bind(request, {
      ...connection,
      endpoint: "par",
      dpopJkt: form.get("dpop_jkt") ?? undefined,
      clientType: clientType(client),
      requireDpop: client.dpop_bound_access_tokens,
    });
    if (!binding.ok) return binding.response();
    const uri = PUSHED + pushed.add({ form, dpopJkt: binding.cnf?.jkt });
    return binding.finish(json({ request_uri: uri, expires_in: seconds }, 201));
  };
}

/** RFC 6749 §3.1. */
export function authorizationEndpoint({ issuer, clients, pushed, codes }) {
  return async (request) => {
    const query = onceEach(new URL(request.url).searchParams);
    const client = clients.find(query.get("client_id"));
    if (client === undefined) throw new OAuthError("invalid_request", "no such client");
    const { form, dpopJkt } = query.has("request_uri") ? takePushed(pushed, client, query) : { form: query, dpopJkt: query.get("dpop_jkt") ?? undefined };
    checkAuthorizationRequest(client, form);
    const code = codes.add({
      clientId: client.client_id,
      redirectUri: form.get("redirect_uri"),
      codeChallenge: form.get("code_challenge"),
      dpopJkt,
      authorization: { subject: "ada", scope: grantedScope(client, form.get("scope") ?? undefined), isRevoked: false },
    });
    const answer = new URL(form.get("redirect_uri"));
    answer.searchParams.set("code", code);
    if (form.has("state")) answer.searchParams.set("state", form.get("state"));
    // RFC 9207 §2.
    answer.searchParams.set("iss", issuer);
    return new Response(null, { status: 303, headers: { location: answer.href, "cache-control": "no-store" } });
  };
}

function takePushed(pushed, client, query) {
  const name = query.get("request_uri").slice(PUSHED.length);
  const found = pushed.find(name);
  const isHers = found?.value.form.get("client_id") === client.client_id;
  if (!isHers || !pushed.use(name)) throw new OAuthError("invalid_request", "no such pushed request");
  return found.value;
}

/** Whatever is wrong is told here and not to the redirect URI: nothing in these tests listens there. */
function checkAuthorizationRequest(client, form) {
  if (!client.redirect_uris?.includes(form.get("redirect_uri"))) throw new OAuthError("invalid_request", "redirect_uri is not registered");
  if (form.get("response_type") !== "code") throw new OAuthError("unsupported_response_type", "response_type must be code");
  if (form.get("code_challenge_method") !== "S256" || !/^[\w-]{43}$/.test(form.get("code_challenge") ?? "")) {
    throw new OAuthError("invalid_request", "PKCE with S256 is required");
  }
  grantedScope(client, form.get("scope") ?? undefined);
}
