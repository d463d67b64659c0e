// @keybound/browser/worker: a session whose key and tokens live in a worker's memory, out of the page's reach.

export { serveWorker } from "./serve.js";
export type { WorkerOptions } from "./serve.js";
export * from "./page.js";
