// The Durable Object behind `durableObjectReplay`. Export it from the worker's main module.

import type { ReplayMark } from "./types.js";

/** As much of a Durable Object's storage as is used. */
interface Storage {
  sql: { exec(query: string, ...values: (string | number)[]): { toArray(): unknown[] } };
  getAlarm(): Promise<number | null>;
  setAlarm(time: number): Promise<void>;
}

/** Milliseconds between two clean-ups. */
const CLEANING = 60_000;
/** Seconds by which the verifiers' clocks may be behind this one, where none was heard yet. */
const UNHEARD = 3_600;

/**
 * One shard of replay marks. A mark is inserted unless it is there, in one step, and on disk before the answer
 * leaves; so it survives a restart. Time is the verifiers', which comes with each mark.
 */
export class ReplayShard {
  readonly #storage: Storage;
  #latest: number | undefined;
  #hasAlarm = false;

  constructor(state: unknown, _env: unknown) {
    this.#storage = (state as { storage: Storage }).storage;
    this.#storage.sql.exec("CREATE TABLE IF NOT EXISTS marks (key TEXT PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID");
    this.#storage.sql.exec("CREATE INDEX IF NOT EXISTS marks_by_expiry ON marks (expires)");
  }

  /** Claims the mark in the body: "1" if it was not there, else "0". */
  async fetch(request: Request): Promise<Response> {
    const { key, expiresAt, now } = (await request.json()) as Partial<ReplayMark>;
    if (typeof key !== "string" || typeof expiresAt !== "number" || typeof now !== "number") {
      return new Response("no mark", { status: 400 });
    }
    this.#latest = Math.max(this.#latest ?? now, now);
    await this.#ensureAlarm();
    // An expired mark that was not cleaned up yet makes room for a new one.
    const inserted = this.#storage.sql
      .exec(
        "INSERT INTO marks VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET expires = excluded.expires WHERE marks.expires < ? RETURNING 1",
        key,
        expiresAt,
        now,
      )
      .toArray();
    return new Response(inserted.length === 0 ? "0" : "1");
  }

  /** Forgets what has expired. */
  async alarm(): Promise<void> {
    this.#hasAlarm = false;
    const now = this.#latest ?? Date.now() / 1000 - UNHEARD;
    this.#storage.sql.exec("DELETE FROM marks WHERE expires < ?", now);
    if (this.#storage.sql.exec("SELECT 1 FROM marks LIMIT 1").toArray().length > 0) await this.#ensureAlarm();
  }

  async #ensureAlarm(): Promise<void> {
    if (this.#hasAlarm) return;
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now() + CLEANING);
    this.#hasAlarm = true;
  }
}
