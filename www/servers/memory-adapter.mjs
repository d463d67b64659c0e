// @ts-check
// The authorization server's storage, for one run: a map (the adapter interface of oidc-provider).

/** @typedef {{ grantId?: string, userCode?: string, uid?: string, consumed?: number }} Payload */

/** @type {Map<string, { payload: Payload, expiresAt: number }>} */
const rows = new Map();
/** @type {Map<string, Set<string>>} */
const rowsOfGrant = new Map();

export class MemoryAdapter {
  /** @param {string} model */
  constructor(model) {
    this.model = model;
  }

  /** @param {string} id @param {Payload} payload @param {number} [expiresIn] Seconds. */
  async upsert(id, payload, expiresIn) {
    const key = this.#key(id);
    rows.set(key, { payload, expiresAt: Date.now() + (expiresIn ?? Infinity) * 1000 });
    if (payload.uid) rows.set(this.#key(`uid ${payload.uid}`), { payload, expiresAt: Infinity });
    if (payload.grantId) rowsOfGrant.set(payload.grantId, (rowsOfGrant.get(payload.grantId) ?? new Set()).add(key));
  }

  /** @param {string} id */
  async find(id) {
    const row = rows.get(this.#key(id));
    return row && row.expiresAt > Date.now() ? row.payload : undefined;
  }

  /** @param {string} uid */
  async findByUid(uid) {
    return this.find(`uid ${uid}`);
  }

  /** The demo has no device flow. */
  async findByUserCode() {
    return undefined;
  }

  /** @param {string} id */
  async consume(id) {
    const row = rows.get(this.#key(id));
    if (row) row.payload.consumed = Math.floor(Date.now() / 1000);
  }

  /** @param {string} id */
  async destroy(id) {
    rows.delete(this.#key(id));
  }

  /** @param {string} grantId */
  async revokeByGrantId(grantId) {
    for (const key of rowsOfGrant.get(grantId) ?? []) rows.delete(key);
    rowsOfGrant.delete(grantId);
  }

  /** @param {string} id */
  #key(id) {
    return `${this.model} ${id}`;
  }
}
