// What every endpoint has in common: forms that are read strictly, and errors as RFC 6749 §5.2 has them.

/** Thrown by an endpoint, sent by the server. */
export class OAuthError extends Error {
  constructor(code, description, status = 400) {
    super(description);
    this.code = code;
    this.status = status;
  }

  response() {
    // RFC 6749 §5.2: a client that used the Authorization field is answered in kind.
    const challenge = this.status === 401 ? { "www-authenticate": 'Basic realm="clients"' } : {};
    return json({ error: this.code, error_description: this.message }, this.status, challenge);
  }
}

export function json(body, status = 200, headers = {}) {
  return Response.json(body, { status, headers: { "cache-control": "no-store", ...headers } });
}

/** A form's parameters, each at most once (RFC 6749 §3.1, §3.2). */
export async function readForm(request) {
  if (request.method !== "POST") throw new OAuthError("invalid_request", "POST a form", 405);
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers.get("content-type") ?? "")) {
    throw new OAuthError("invalid_request", "the body must be a form");
  }
  return onceEach(new URLSearchParams(await request.text()));
}

export function onceEach(parameters) {
  for (const name of parameters.keys()) {
    if (parameters.getAll(name).length > 1) throw new OAuthError("invalid_request", `${name} is given twice`);
  }
  return parameters;
}
