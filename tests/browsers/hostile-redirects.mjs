// Redirects of the hostile server, for runtimes that show Location.
import assert from "node:assert/strict";

/**
 * Asserts what becomes of them. `send(path, init)` makes a request with a client that knows the server's origin only, and gives status
 * and text of the answer or the code of the error.
 */
export async function assertRedirects(server, send) {
  /** The outcome, and how many requests it took; the next one works. */
  const visit = async (path, init) => {
    const since = server.requests.length;
    const seen = await send(path, init);
    const count = server.requests.length - since;
    assert.deepEqual(await send("fine"), [200, "in"], `after ${path}`);
    return [seen, count];
  };
  const elsewhere = server.elsewhere.requests.length;
  for (const status of [301, 302, 303, 307, 308]) {
    const since = server.requests.length;
    assert.deepEqual(await visit(`redirect/${status}/fine`), [[200, "in"], 2]);
    const [asked, followed] = server.requests.slice(since);
    assert.deepEqual([asked, followed].map(({ claims }) => new URL(claims.htu).pathname), [`/redirect/${status}/fine`, "/fine"]);
    assert.notEqual(asked.claims.jti, followed.claims.jti);
    assert.equal(followed.authorization, asked.authorization);
    for (const place of ["elsewhere", "http", "data", "slashes"]) assert.deepEqual(await visit(`redirect/${status}/${place}`), ["redirect_refused", 1], `${status} ${place}`);
    const [loop, hops] = await visit(`redirect/${status}/loop`);
    assert.ok(loop === "redirect_refused" && hops <= 6, `${loop} after ${hops}`);
    // A Location that is none leads nowhere: the answer is the caller's.
    assert.deepEqual(await visit(`redirect/${status}/broken`), [[status, ""], 1]);
    assert.deepEqual(await visit(`redirect/${status}/fine`, { method: "HEAD" }), [[200, ""], 2]);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      for (const place of ["fine", "elsewhere", "loop"]) assert.deepEqual(await visit(`redirect/${status}/${place}`, { method, body: "secret" }), ["redirect_refused", 1], `${method} ${status} ${place}`);
    }
    // Credentials in a URL are nothing that fetch takes (Fetch standard, Request); workerd does, and leaves them at home.
    const [userinfo, count] = await visit(`redirect/${status}/userinfo`);
    if (count === 1) assert.match(userinfo, /^TypeError|^redirect_refused$/);
    else {
      const [{ authorization, claims }] = server.requests.slice(-2);
      assert.deepEqual([userinfo, count, authorization, claims.htu], [[200, "in"], 2, "DPoP token-1", `${server.origin}/fine`]);
    }
  }
  assert.equal(server.elsewhere.requests.length, elsewhere);
}
