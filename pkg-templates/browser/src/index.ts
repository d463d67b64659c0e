// @keybound/browser: OAuth tokens bound to a key that cannot leave the browser (RFC 9449).

export { init } from "./init.js";
export { DpopKey } from "./key.js";
export { chooseAlgorithm } from "./algorithms.js";
export type { KeyOptions, ProofRequest, SigningAlgorithm } from "./key.js";
export type { KeyStore } from "./store.js";
export { createFetch } from "./fetch.js";
export type { BoundFetch, BoundToken, FetchOptions, TokenContext } from "./fetch.js";
export { createTokenFetch } from "./token-fetch.js";
export type { TokenFetchOptions } from "./token-fetch.js";
export type { NonceStore } from "./nonces.js";
export type { KeyboundEvent } from "./events.js";
export { KeyboundError } from "./errors.js";
export type { KeyboundErrorCode, SessionErrorCode, WorkerErrorCode } from "./errors.js";
export { diagnose } from "./diagnose/index.js";
export type { Diagnosis, DiagnosisCheck, DiagnosisOptions } from "./diagnose/index.js";
