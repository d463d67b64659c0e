// @keybound/edge: sender-constrained access tokens, checked (RFC 9449, RFC 8705).

export { init } from "./init.js";
export { createResourceServer } from "./resource-server.js";
export { createTokenEndpoint } from "./token-endpoint.js";
export { certificates } from "./certificates.js";
export { durableObjectReplay } from "./durable-object-replay.js";
export { memoryReplay } from "./replay.js";
export { redisReplay } from "./redis-replay.js";
export { introspection } from "./introspection.js";
export { introspectionBinding } from "./introspection-binding.js";
export { jwtTokens } from "./tokens.js";
export { fapi2 } from "./proof-policies.js";
export { verifyProof } from "./verify-proof.js";
export type { IntrospectionBinding } from "./introspection-binding.js";
export type { IntrospectionOptions } from "./introspection.js";
export type { JwtOptions, KeySet } from "./tokens.js";
export type {
  Accepted,
  Alg,
  Binding,
  CertificateReading,
  CertificateSource,
  Claims,
  ClientCertificate,
  CorsPolicy,
  DecisionEvent,
  Diagnosis,
  Mechanism,
  NonceChecker,
  NoncePolicy,
  NonceStatus,
  OAuthError,
  ProofPolicy,
  Rejected,
  ReplayMark,
  ReplayStore,
  RequestContext,
  ResolvedToken,
  ResourceServer,
  ResourceServerOptions,
  SignatureProvider,
  TokenEndpoint,
  TokenEndpointOptions,
  TokenRequestContext,
  TokenSource,
  TraceStep,
} from "./types.js";
