// Runs posted cases inside the Workers runtime.

import * as edge from "edge/workerd.js";
import { runFile } from "cases.mjs";

export default {
  async fetch(request) {
    const results = [];
    for await (const result of runFile(edge, await request.json())) results.push(result);
    return Response.json(results);
  },
};
