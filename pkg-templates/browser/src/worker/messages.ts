// What page and worker say to each other, over one port.

import type { Failure } from "./errors.js";

/** What a page may ask for. There is nothing here that gives a proof or a token. */
export type Ask =
  | { type: "begin"; parameters: [string, string][] }
  | { type: "finish"; url: string }
  | { type: "status" }
  | { type: "logout"; back: string | undefined }
  | ({ type: "fetch" } & Call);

/** A request to be made. */
export interface Call {
  method: string;
  url: string;
  headers: [string, string][];
  body: ArrayBuffer | undefined;
}

/** An API's answer. The body is a stream where the engine can hand one over. */
export interface Answer {
  url: string;
  status: number;
  statusText: string;
  headers: [string, string][];
  body: ReadableStream<Uint8Array> | ArrayBuffer | null;
}

/** From the page, after the port. Without `ask`: the caller of that number does not want its answer any more. */
export interface Question {
  id: number;
  ask?: Ask;
}

/** From the worker. `ended`: nothing more comes for that number. */
export type Reply = { id: number; value: unknown } | { id: number; failure: Failure } | { ended: number } | { event: Record<string, unknown> };

/** The first message to a worker, which carries the port. */
export const HELLO = "keybound";

/** Octets of a request's body, and of an answer's where it cannot be a stream. */
export const BODY_LIMIT = 32 * 1024 * 1024;
/** Characters of an address and of all header fields together; servers take less. */
export const TEXT_LIMIT = 64 * 1024;
/** Questions that wait for an answer at one time. */
export const PENDING_LIMIT = 256;
