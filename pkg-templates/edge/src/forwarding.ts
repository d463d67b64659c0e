// Whether a proxy stands in front, told by the fields that proxies add to requests.

import { isWorkers } from "./platform.js";

/** Those that say what clients see (RFC 7239 and its forerunners). */
const FIELDS = ["forwarded", "x-forwarded-host", "x-forwarded-prefix", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-for"];
/** Cloudflare adds these to the requests of every worker, whose URL is the client's all the same. */
const ALWAYS_ON_WORKERS = ["x-forwarded-proto", "x-forwarded-for"];
/** A proxy is there from the first request on, so there is no need to look at more than so many. */
const REQUESTS = 100;

/** Remembers that a request came by way of a proxy. It matters for advice only: any client can send these fields. */
export class Forwarding {
  /** The name of the field that was seen. */
  field: string | undefined;
  #left: number;

  constructor(publicUrl: unknown) {
    this.#left = publicUrl === undefined ? REQUESTS : 0;
  }

  /** Looks at a request's fields. */
  look(request: Request): void {
    if (this.#left === 0) return;
    this.#left -= 1;
    const ignored = isWorkers() ? ALWAYS_ON_WORKERS : [];
    this.field = FIELDS.find((name) => request.headers.has(name) && !ignored.includes(name));
    if (this.field !== undefined) this.#left = 0;
  }
}
