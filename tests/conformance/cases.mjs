// Runs conformance cases through the public API of @keybound/edge. Knows nothing of the engine it runs in.

/** Every step of every case of a file, in order: `{ id, step, expected, outcome, reason, binding, ms, pass, skipped }`. */
export async function* runFile(edge, file) {
  // No case pays for loading the module.
  await edge.init();
  for (const testCase of file.cases) {
    const steps = (testCase.sequence ?? [testCase]).map((step) => ({ ...testCase, ...step }));
    const run = runner(edge, file.meta, testCase);
    for (const [index, step] of steps.entries()) {
      const expected = [step.expect, ...(step.also_ok ?? [])];
      const result = { id: testCase.id, step: index, expected };
      const startedAt = performance.now();
      let observed;
      try {
        observed = await run(step);
      } catch (error) {
        observed = { outcome: "exception", reason: String(error?.stack ?? error), binding: null };
      }
      const ms = performance.now() - startedAt;
      const pass = expected.includes(observed.outcome) && bindingFits(step.expect_binding, observed);
      yield { ...result, ...observed, ms, pass };
    }
  }
}

/** A function that takes the steps of one case to its verifier. */
function runner(edge, meta, testCase) {
  return testCase.role === "as" ? tokenEndpointRunner(edge, meta) : resourceServerRunner(edge, meta);
}

function policyOf(meta, step) {
  return { ...meta.default_policy, ...step.policy };
}

/** Steps with one configuration go to one verifier. Replay marks are shared by all of a case. */
function perConfiguration(make) {
  const made = new Map();
  return (...configuration) => {
    const key = JSON.stringify(configuration);
    if (!made.has(key)) made.set(key, make(...configuration));
    return made.get(key);
  };
}

/** What of a step a verifier is configured with. */
function configurationOf(meta, step) {
  return {
    policy: policyOf(meta, step),
    trusted: step.tls?.trust_client_cert_header === true,
    nonceRequired: step.nonce_policy?.required ?? null,
  };
}

function proofPolicy(policy) {
  return {
    algorithms: policy.algs,
    maxAge: policy.iat_max_age_s,
    maxFuture: policy.iat_max_future_s,
    maxProofBytes: policy.max_proof_bytes,
    maxJtiBytes: policy.max_jti_bytes,
  };
}

/** What both roles are configured with. `current()` is the step that is being run. */
function commonOptions(edge, { policy, trusted, nonceRequired }, replay, current) {
  return {
    proof: proofPolicy(policy),
    replay: policy.replay ? replay : "external",
    certificates: [edge.certificates.cloudflare(), ...(trusted ? [edge.certificates.clientCertHeader({ trusted: true })] : [])],
    publicUrl: () => current().request.url,
    now: () => current().now,
    ...(nonceRequired !== null && { nonce: nonceChecker(nonceRequired, () => current().nonce_policy) }),
  };
}

function nonceChecker(required, policy) {
  return {
    required,
    current: () => policy().current,
    check(nonce) {
      const { current, accepted, expired } = policy();
      if (nonce === current) return "current";
      if (accepted.includes(nonce)) return "previous";
      return (expired ?? []).includes(nonce) ? "stale" : "unknown";
    },
  };
}

function resourceServerRunner(edge, meta) {
  const replay = edge.memoryReplay();
  let step;
  const serverFor = perConfiguration((configuration, issuer, resolved) => {
    const { policy } = configuration;
    return edge.createResourceServer({
      issuer,
      audience: meta.audience,
      tokens: resolved ? { resolve: async () => resolve(step) } : edge.jwtTokens({ jwks: meta.jwks }),
      proofOfPossession: {
        mechanism: policy.require_dpop ? "dpop" : "either",
        required: policy.require_dpop || policy.require_sender_constraint,
      },
      ...commonOptions(edge, configuration, replay, () => step),
    });
  });
  return async (next) => {
    step = { now: meta.now_default, ...next };
    const claims = step.token_claims ?? null;
    // The figures of the RFCs have an issuer of their own.
    const issuer = step.group === "rfc-vector" ? (claims?.iss ?? meta.issuer) : meta.issuer;
    const { request, context } = requestOf(step);
    const decision = await serverFor(configurationOf(meta, step), issuer, claims !== null).authenticate(request, context);
    checkAnswer(decision);
    return { outcome: outcomeOf(decision), reason: decision.reason ?? null, binding: decision.binding ?? null };
  };
}

/** An introspection answer must say that the token is active (RFC 7662 §2.2); the claims of a JWT have no such member. */
function resolve({ token_source, token_claims }) {
  const says = token_source === "introspection" || "active" in token_claims;
  return says && token_claims.active !== true ? { active: false } : { active: true, claims: token_claims };
}

function tokenEndpointRunner(edge, meta) {
  const replay = edge.memoryReplay();
  let step;
  const endpointFor = perConfiguration((configuration) =>
    edge.createTokenEndpoint(commonOptions(edge, configuration, replay, () => step)),
  );
  return async (next) => {
    step = { now: meta.now_default, ...next };
    const { request, context } = requestOf(step);
    const as = step.as_context ?? {};
    const dpopJkt = as.code_dpop_jkt ?? as.par_dpop_jkt;
    const configuration = configurationOf(meta, step);
    const decision = await endpointFor(configuration).bind(request, {
      ...context,
      endpoint: as.endpoint ?? "token",
      ...(dpopJkt && { dpopJkt }),
      ...(as.refresh_token_jkt && { refreshToken: { jkt: as.refresh_token_jkt } }),
      ...(as.client_type && { clientType: as.client_type }),
      requireDpop: as.dpop_bound_access_tokens ?? configuration.policy.require_dpop,
      bindCertificate: as.certificate_bound ?? false,
    });
    checkAnswer(decision);
    const binding = decision.ok ? { ...decision.cnf, token_type: decision.tokenType } : null;
    return { outcome: outcomeOf(decision), reason: decision.reason ?? null, binding };
  };
}

function outcomeOf(decision) {
  if (decision.ok) return "accept";
  if (decision.status === 503) return "server_error";
  return decision.error ?? "no_credentials";
}

/** Whatever is decided, it must be possible to answer it. */
function checkAnswer(decision) {
  const response = decision.ok ? decision.finish(new Response("ok")) : decision.response();
  if (!decision.ok && response.status !== decision.status) throw new Error(`answered ${response.status} for ${decision.status}`);
  if (decision.error === "use_dpop_nonce" && !response.headers.get("dpop-nonce")) throw new Error("a nonce challenge without a nonce");
}

/** The step's request, and what the caller knows beside it. */
function requestOf(step) {
  const { method, url, headers } = step.request;
  const context = {};
  let request;
  const rebuilt = new Headers();
  try {
    for (const [name, value] of headers) rebuilt.append(name, value);
  } catch {
    // What this engine's Headers refuses can still come as raw fields.
    context.headers = headers;
  }
  if (step.requires?.includes("raw-headers")) context.headers = headers;
  try {
    request = new Request(url, { method, headers: rebuilt });
  } catch {
    request = new Request("https://unused.example/", { headers: rebuilt });
  }
  if (request.method !== method) Object.defineProperty(request, "method", { value: method });
  const { tls } = step;
  if (tls?.cf) Object.defineProperty(request, "cf", { value: tls.cf.tlsClientAuth ? tls.cf : { tlsClientAuth: tls.cf } });
  const certificate = tls?.client_cert_pem ?? tls?.client_cert_sha256_hex;
  if (certificate !== undefined && certificate !== null) context.certificate = certificate;
  return { request, context };
}

function bindingFits(expected, { outcome, binding }) {
  if (outcome !== "accept" || !expected) return true;
  return Object.entries(expected).every(([name, value]) => {
    if (name === "token_type") return binding.token_type === undefined || binding.token_type === value;
    return (binding[name] ?? null) === value;
  });
}
