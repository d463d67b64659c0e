// A resource server and token endpoint that do what no server should; each path another way. Tests see what it got.
import { createServer } from "node:http";
import { decodeJwt } from "jose";
import { listen } from "./loopback.mjs";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "Authorization, DPoP, Content-Type",
  "access-control-allow-methods": "GET, HEAD, POST, PUT",
  "access-control-expose-headers": "DPoP-Nonce, WWW-Authenticate, Date, Location",
  "access-control-max-age": "600",
};

const DEMAND = 'DPoP error="use_dpop_nonce"';
const JUNK = Buffer.alloc(64 * 1024, " ");
/** An endless body ends at last, so that a client without a limit fails a test instead of the machine. */
const ENDLESS = 256 * 1024 * 1024;

/**
 * Starts it, and an honest server of another origin that must never get anything with credentials. `requests` and
 * `elsewhere.requests` are what both got, preflights aside; `connections()` counts those that the hostile one holds open;
 * `expire()` ends the nonce that is good at `ending`.
 */
export async function serveHostile() {
  const elsewhere = await serveRecording((_, outgoing) => outgoing.writeHead(200, CORS).end("elsewhere"));
  let count = 0;
  let epoch = 0;
  const here = await serveRecording((request, outgoing, incoming) => {
    count++;
    const [, way, ...details] = request.url.pathname.split("/");
    const answer = WAYS[way] ?? WAYS.fine;
    answer({ ...request, count, good: () => `epoch-${epoch}`, details, incoming, outgoing, elsewhere: elsewhere.origin, origin: `http://${incoming.headers.host}` });
  });
  return {
    origin: here.origin,
    requests: here.requests,
    elsewhere,
    connections: here.connections,
    expire: () => void epoch++,
    async close() {
      await here.close();
      await elsewhere.close();
    },
  };
}

async function serveRecording(answer) {
  const requests = [];
  const server = createServer((incoming, outgoing) => {
    outgoing.on("error", () => {});
    incoming.on("error", () => {});
    if (incoming.method === "OPTIONS") {
      outgoing.writeHead(204, CORS).end();
      return;
    }
    const { authorization, dpop } = incoming.headers;
    const request = { method: incoming.method, path: incoming.url, url: new URL(incoming.url, "http://here"), authorization, dpop, claims: dpop && decodeJwt(dpop) };
    request.isOpen = () => !outgoing.closed;
    requests.push(request);
    answer(request, outgoing, incoming);
    if (!incoming.destroyed) incoming.resume();
  });
  const connections = () => new Promise((resolve, reject) => server.getConnections((error, held) => (error ? reject(error) : resolve(held))));
  return { ...(await listen(server)), requests, connections };
}

/** Answers the demand for a nonce (RFC 9449 §9) with these fields. */
function demand(outgoing, nonce, more = {}) {
  outgoing.writeHead(401, { ...CORS, "www-authenticate": DEMAND, ...(nonce !== undefined && { "dpop-nonce": nonce }), ...more }).end();
}

/** Writes an answer as it is: Node's server refuses to send some of these. */
function raw(outgoing, lines) {
  const cors = Object.entries(CORS).map(([name, value]) => `${name}: ${value}`);
  outgoing.socket.end(Buffer.from(["HTTP/1.1 401 Unauthorized", ...cors, `WWW-Authenticate: ${DEMAND}`, ...lines, "Connection: close", "Content-Length: 0", "", ""].join("\r\n"), "latin1"));
}

/** Sends until the other side has enough. */
function pour(outgoing, status, headers, first) {
  outgoing.writeHead(status, { ...CORS, ...headers });
  outgoing.write(first);
  let sent = 0;
  const more = () => {
    while (!outgoing.destroyed && sent < ENDLESS) {
      sent += JUNK.length;
      if (!outgoing.write(JUNK)) {
        outgoing.once("drain", more);
        return;
      }
    }
    outgoing.end();
  };
  more();
}

const JSON_TYPE = { "content-type": "application/json" };

const WAYS = {
  fine: ({ outgoing }) => outgoing.writeHead(200, CORS).end("in"),

  // Nonces.
  /** Another one with each answer, good for one request. */
  rotating: ({ outgoing, claims, count }) => {
    const next = { "dpop-nonce": `rotating-${count}` };
    if (claims?.nonce === `rotating-${count - 1}`) outgoing.writeHead(200, { ...CORS, ...next }).end("in");
    else demand(outgoing, next["dpop-nonce"]);
  },
  looping: ({ outgoing, count }) => demand(outgoing, `looping-${count}`),
  same: ({ outgoing }) => demand(outgoing, "same"),
  none: ({ outgoing }) => demand(outgoing, undefined),
  /** Two fields of one name. */
  doubled: ({ outgoing, count }) => demand(outgoing, [`one-${count}`, `two-${count}`]),
  long: ({ outgoing, details }) => demand(outgoing, "n".repeat(Number(details[0]))),
  hidden: ({ outgoing }) => demand(outgoing, "hidden", { "access-control-expose-headers": "WWW-Authenticate" }),
  illegal: ({ outgoing, details }) => raw(outgoing, [`DPoP-Nonce: ${{ quote: 'n"1', blank: "n 1", tab: "n\t1", high: "n\xe91", backslash: "n\\1", empty: "" }[details[0]]}`]),
  /** One for everybody until it ends; what arrived is judged after so many milliseconds. */
  ending: ({ outgoing, claims, good, details }) => setTimeout(() => (claims?.nonce === good() ? outgoing.writeHead(200, CORS).end("in") : demand(outgoing, good())), Number(details[0])),
  /** A demand whose body never ends. `once`: the nonce is good. */
  "demand-never": ({ outgoing, claims, count, details }) => {
    if (details[0] === "once" && claims?.nonce) outgoing.writeHead(200, CORS).end("in");
    else outgoing.writeHead(400, { ...CORS, "cache-control": "no-store", "www-authenticate": DEMAND, "dpop-nonce": `never-${count}` }).write("beginning");
  },
  /** Asks by turns for another nonce and another token. */
  turns: ({ outgoing, count }) => (count % 2 ? demand(outgoing, `turns-${count}`) : outgoing.writeHead(401, { ...CORS, "www-authenticate": 'DPoP error="invalid_token"' }).end()),

  // Time.
  "never-head": () => {},
  "never-body": ({ outgoing }) => outgoing.writeHead(200, CORS).write("beginning"),
  "late-challenge": ({ outgoing, details }) => setTimeout(() => demand(outgoing, "late"), Number(details[0])),

  // Connections.
  "cut-upload": ({ incoming }) => incoming.once("data", () => incoming.socket.destroy()),
  "cut-head": ({ incoming }) => incoming.socket.destroy(),
  "cut-body": ({ outgoing }) => {
    outgoing.writeHead(200, { ...CORS, "content-length": "1000" });
    outgoing.write("beginning", () => outgoing.socket.destroy());
  },

  // Redirects, by status and whereto.
  redirect: ({ outgoing, details, elsewhere, origin }) => {
    const [status, whereto] = details;
    const location = {
      fine: "/fine",
      elsewhere: `${elsewhere}/stolen`,
      http: "http://api.example.invalid/",
      data: "data:text/plain,stolen",
      loop: `${origin}/redirect/${status}/loop`,
      userinfo: origin.replace("//", "//user:password@") + "/fine",
      broken: "http://[",
      slashes: `//${new URL(elsewhere).host}/stolen`,
    }[whereto];
    outgoing.writeHead(Number(status), { ...CORS, location }).end();
  },

  // Fields and bodies.
  challenges: ({ outgoing, details }) => outgoing.writeHead(401, { ...CORS, "www-authenticate": `Bearer realm="${"\\\"".repeat(Number(details[0]) / 2)}` }).end("no"),
  dates: ({ outgoing, claims, details }) => {
    const date = { past: "Thu, 01 Jan 1970 00:00:00 GMT", future: "Fri, 31 Dec 9999 23:59:59 GMT", garbage: "yesterday", skewed: new Date(Date.now() + 300_000).toUTCString() }[details[0]];
    if (claims?.nonce === "dated") outgoing.writeHead(200, { ...CORS, date }).end("in");
    else demand(outgoing, "dated", { date });
  },

  // Token endpoints.
  "token-fine": ({ outgoing }) => outgoing.writeHead(200, { ...CORS, ...JSON_TYPE }).end('{"access_token":"t","token_type":"DPoP"}'),
  "token-endless": ({ outgoing, details }) => pour(outgoing, Number(details[0]), JSON_TYPE, '{"error":"use_dpop_nonce","access_token":"t","token_type":"Bearer",'),
  "token-never": ({ outgoing, details }) => outgoing.writeHead(Number(details[0]), { ...CORS, ...JSON_TYPE }).write('{"error":'),
  /** One octet after the other, and never the last. */
  "token-trickle": ({ outgoing, details }) => {
    outgoing.writeHead(Number(details[0]), { ...CORS, ...JSON_TYPE, "dpop-nonce": "trickle" }).write('{"error":"use_dpop_nonce","access_token":"');
    const drops = setInterval(() => outgoing.write("t"), 50);
    outgoing.once("close", () => clearInterval(drops));
  },
  "token-looping": ({ outgoing, count }) => outgoing.writeHead(400, { ...CORS, ...JSON_TYPE, "dpop-nonce": `looping-${count}` }).end('{"error":"use_dpop_nonce"}'),
  "token-deep": ({ outgoing }) => outgoing.writeHead(400, { ...CORS, ...JSON_TYPE }).end("[".repeat(200_000)),
  "token-odd": ({ outgoing, details }) =>
    outgoing.writeHead(400, { ...CORS, ...JSON_TYPE, "dpop-nonce": "odd" }).end({ array: '["use_dpop_nonce"]', text: '"use_dpop_nonce"', nested: '{"error":{"error":"use_dpop_nonce"}}', null: "null", none: "" }[details[0]]),
};
