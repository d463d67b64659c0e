// @keybound/browser/worker/page: the page's half of @keybound/browser/worker, which loads nothing that only the worker needs.

export { connectWorker } from "./connect.js";
export type { WorkerEvent, WorkerLogin, WorkerSession, WorkerStatus } from "./connect.js";
export { returnLogin } from "./popup.js";
