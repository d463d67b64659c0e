// Claims marks one after the other, or many at once, in Durable Objects: ours, one that does nothing, and one that writes a row.
// It is timed from outside: clocks in here stand still while code runs.
import { env } from "cloudflare:workers";
import { durableObjectReplay } from "./edge/workerd.js";

export { ReplayShard } from "./edge/cloudflare.js";

/** The limit: a Durable Object that answers. */
export class Empty {
  async fetch() {
    return new Response("1");
  }
}

/** The limit for whatever is to survive a restart: one row written. */
export class OneRow {
  constructor(state) {
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS marks (key TEXT PRIMARY KEY) WITHOUT ROWID");
  }

  async fetch(request) {
    this.sql.exec("INSERT INTO marks VALUES (?)", await request.text());
    return new Response("1");
  }
}

const store = durableObjectReplay(env.REPLAY);
const object = (namespace, jkt) => namespace.get(namespace.idFromName(jkt));
/** As many objects as the store has shards. */
const ask = async (namespace, { key, shard }) => {
  const answer = await object(namespace, String(shard)).fetch("https://limit.invalid/", { method: "POST", body: key });
  return (await answer.text()) === "1";
};

const KINDS = {
  empty: (mark) => ask(env.EMPTY, mark),
  row: (mark) => ask(env.ROW, mark),
  keybound: (mark) => store.claim(mark),
};

export default {
  async fetch(request) {
    const { kind, together, marks } = await request.json();
    const claim = KINDS[kind];
    let fresh = 0;
    for (let from = 0; from < marks.length; from += together) {
      const answers = await Promise.all(marks.slice(from, from + together).map(claim));
      fresh += answers.filter(Boolean).length;
    }
    return new Response(String(fresh));
  },
};
