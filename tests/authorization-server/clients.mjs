// The registered clients, in the words of RFC 7591, and how they show who they are (RFC 6749 §2.3, RFC 7523 §2.2).
import { timingSafeEqual } from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { OAuthError } from "./answers.mjs";

export const REDIRECT_URI = "https://app.example/callback";
/** Of every client that has one. */
export const SECRET = "correct horse: battery staple +%";

const person = { grant_types: ["authorization_code", "refresh_token"], redirect_uris: [REDIRECT_URI], scope: "read write" };
const machine = { grant_types: ["client_credentials"], scope: "read" };
const secret = { token_endpoint_auth_method: "client_secret_basic", client_secret: SECRET };

/** `jwks`: the public keys of the client that signs its assertions. */
export const registrations = (jwks) => [
  // A page, which never takes a bearer token.
  { client_id: "page", token_endpoint_auth_method: "none", dpop_bound_access_tokens: true, ...person },
  // A program on somebody's computer, from before DPoP.
  { client_id: "program", token_endpoint_auth_method: "none", ...person },
  // A program with a certificate.
  { client_id: "program-with-certificate", token_endpoint_auth_method: "none", tls_client_certificate_bound_access_tokens: true, ...person },
  // Web servers.
  { client_id: "website", ...secret, ...person },
  { client_id: "bank", token_endpoint_auth_method: "private_key_jwt", jwks, dpop_bound_access_tokens: true, ...person },
  { client_id: "website-with-certificate", ...secret, tls_client_certificate_bound_access_tokens: true, ...person },
  // Machines.
  { client_id: "backup", ...secret, dpop_bound_access_tokens: true, ...machine },
  { client_id: "mailer", ...secret, ...machine },
  // The resource server, which asks about tokens.
  { client_id: "api", ...secret, grant_types: [], scope: "", may_introspect: true },
];

/** Gives `authenticate(request, form)`, which resolves to the client, and `find(id)`. */
export function makeClients({ issuer, jwks, now }) {
  const clients = new Map(registrations(jwks).map((client) => [client.client_id, client]));
  const assertions = new Set();

  async function authenticate(request, form) {
    const basic = request.headers.get("authorization");
    if (basic !== null) return bySecret(basic);
    if (form.has("client_assertion")) return byAssertion(form);
    return registered(form.get("client_id"), "none");
  }

  function bySecret(field) {
    const [, base64] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(field) ?? [];
    const [id, secret] = Buffer.from(base64 ?? "", "base64").toString().split(":").map(formDecoded);
    const client = registered(id, "client_secret_basic");
    if (!isSame(secret ?? "", client.client_secret)) throw unknownClient();
    return client;
  }

  async function byAssertion(form) {
    if (form.get("client_assertion_type") !== "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") throw unknownClient();
    const key = ({ alg, kid }, token) => {
      const { sub } = JSON.parse(Buffer.from(token.payload, "base64url").toString());
      return createLocalJWKSet(registered(sub, "private_key_jwt").jwks)({ alg, kid }, token);
    };
    const options = { audience: issuer, requiredClaims: ["exp", "iss", "sub", "jti"], currentDate: new Date(now() * 1000) };
    const { payload } = await jwtVerify(form.get("client_assertion"), key, options).catch(() => {
      throw unknownClient();
    });
    if (payload.iss !== payload.sub || assertions.has(payload.jti)) throw unknownClient();
    assertions.add(payload.jti);
    return clients.get(payload.sub);
  }

  function registered(id, method) {
    const client = clients.get(id);
    if (client?.token_endpoint_auth_method !== method) throw unknownClient();
    return client;
  }

  return { authenticate, find: (id) => clients.get(id) };
}

/** RFC 6749 §2.1. */
export const clientType = (client) => (client.token_endpoint_auth_method === "none" ? "public" : "confidential");

/** What the client may have of what it asks for; all that it is registered for if it does not say. */
export function grantedScope(client, asked) {
  const registered = client.scope.split(" ");
  const wanted = asked?.split(" ") ?? registered;
  if (!wanted.every((scope) => registered.includes(scope))) throw new OAuthError("invalid_scope", "not registered for this scope");
  return wanted.join(" ");
}

const unknownClient = () => new OAuthError("invalid_client", "no such client, or not with these credentials", 401);

/** RFC 6749 §2.3.1: name and secret are form-encoded before they are joined. */
const formDecoded = (text) => new URLSearchParams(`v=${text}`).get("v");

function isSame(left, right) {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
