// Does a batch of work for each request to it. It is timed from outside: clocks in here stand still while code runs.
import * as edge from "@keybound/edge";
import * as signatures from "@keybound/edge/signatures";
import { instantSignatures } from "./instant.js";
import { makeWork } from "./verify-work.js";

let work;

export default {
  async fetch(request) {
    if (request.method === "PUT") {
      work = await makeWork(edge, instantSignatures(signatures), await request.json());
      return new Response("ready");
    }
    const { searchParams } = new URL(request.url);
    await work[searchParams.get("kind")](Number(searchParams.get("from")), Number(searchParams.get("to")));
    return new Response("done");
  },
};
