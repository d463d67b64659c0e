// An API with two doors. Who comes through the public one is believed nothing about certificates; behind the other stands a terminator.
import { env } from "cloudflare:workers";
import { certificates, createResourceServer } from "./edge/workerd.js";

const options = { issuer: env.ISSUERS, audience: env.AUDIENCE, publicUrl: env.PUBLIC_URLS };
const trusted = { trusted: true };
const SOURCES = {
  cloudflare: certificates.cloudflare(),
  "cloudflare-self-signed": certificates.cloudflare({ allowSelfSigned: true }),
  "client-cert": certificates.clientCertHeader(trusted),
  envoy: certificates.envoy(trusted),
  nginx: certificates.nginx(trusted),
  haproxy: certificates.haproxy(trusted),
  "haproxy-hex": certificates.haproxy({ ...trusted, header: "X-SSL-Client-Cert-SHA256" }),
  traefik: certificates.traefik(trusted),
  "aws-alb": certificates.awsAlb(trusted),
  "aws-alb-passthrough": certificates.awsAlb({ ...trusted, passthrough: true }),
  cloudfront: certificates.cloudFront(trusted),
  azure: certificates.azureAppService(trusted),
  google: certificates.googleCloud({ ...trusted, header: "X-Client-Cert-Hash" }),
};
/** One API a source; the first segment of the path chooses. */
const apis = Object.fromEntries(
  Object.entries(SOURCES).map(([name, source]) => [name, createResourceServer({ ...options, certificates: [source] })]),
);
const publicApi = createResourceServer(options);

async function answer(api, request) {
  const decision = await api.authenticate(request);
  const about = { ok: decision.ok, reason: decision.reason, mechanisms: decision.mechanisms, binding: decision.binding, cf: request.cf };
  if (decision.ok) return decision.finish(Response.json(about));
  const { status, headers } = decision.response();
  return Response.json(about, { status, headers });
}

export default { fetch: (request) => answer(publicApi, request) };

/** The door of the terminator. */
export const terminator = {
  fetch: (request) => answer(apis[new URL(request.url).pathname.split("/")[1]], request),
};
