// The shape of options: what would otherwise be taken for nothing, and leave a server laxer than its author thinks.

/** What a value must be: true if it is. */
type Is = (value: unknown) => boolean;
/** A member: what it must be, and how that is said. */
type Members = Readonly<Record<string, readonly [is: Is, give: string]>>;

const isObject: Is = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isBoolean: Is = (value) => typeof value === "boolean";
const isFunction: Is = (value) => typeof value === "function";
const isText: Is = (value) => typeof value === "string";
const isListOf = (is: Is): Is => (value) => Array.isArray(value) && value.every(is);
const isAnything: Is = () => true;
/** RFC 9110 §5.6.2. */
const isToken: Is = (value) => typeof value === "string" && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value);
const isPositive: Is = (value) => value !== 0;

/** Numbers and words are looked at where they are read; what stands here is that there is something to read. */
const NUMBER = [isAnything, "a number"] as const;
const TEXTS = [isListOf(isText), "a list of names"] as const;
const SWITCH = [isBoolean, "true or false"] as const;

/** Members of a `ProofPolicy`. */
export const PROOF: Members = {
  algorithms: TEXTS,
  maxAge: NUMBER,
  maxFuture: NUMBER,
  maxProofBytes: [isPositive, "at least one octet, else no proof would be accepted"],
  maxJtiBytes: [isPositive, "at least one octet, else no proof would be accepted"],
};
const NONCE_POLICY: Members = { secrets: [isAnything, "a list of secrets"], required: SWITCH, window: NUMBER };
const NONCE_CHECKER: Members = {
  required: SWITCH,
  current: [isFunction, "a function that returns the nonce to give out"],
  check: [isFunction, "a function that returns a nonce's status"],
};
const CORS: Members = {
  origins: [isAnything, "a list of origins"],
  methods: [isListOf(isToken), 'a list of methods, such as ["GET", "POST"]'],
  headers: [isListOf(isToken), 'a list of field names, such as ["X-Request-Id"]'],
  maxAge: NUMBER,
};
const CONSTRAINT: Members = {
  mechanism: [isAnything, "a mechanism"],
  required: SWITCH,
  requiredFor: [isAnything, "a kind of client"],
  clientType: [isFunction, "a function that takes a token's claims"],
};
const CACHE: Members = { tokens: NUMBER, keys: NUMBER };

/** Members of the options of `jwtTokens`. */
export const JWT_TOKENS: Members = {
  profile: [isAnything, "a profile"],
  jwks: [isAnything, "a key set or a URL object"],
  algorithms: TEXTS,
  types: TEXTS,
  fetch: [isFunction, "a function like the global fetch"],
};

/** Members of the options of `memoryReplay`. */
export const MEMORY_REPLAY: Members = { maxEntries: NUMBER, maxPerKey: NUMBER };

/** Members of the options of `redisReplay` and `durableObjectReplay`, which look at the values themselves. */
export const REDIS_REPLAY: Members = { prefix: [isAnything, "a text"] };
export const DURABLE_OBJECT_REPLAY: Members = { shards: NUMBER };

/** Members of the options of `introspection`, which looks at the values itself. */
export const INTROSPECTION: Members = { endpoint: [isAnything, "a URL object"], authenticate: [isAnything, "a function"], fetch: [isAnything, "a function"], cacheSeconds: NUMBER };

/** Members of the options of either role: they may share an object. */
const OPTIONS: Members = {
  proof: [isObject, "an object, such as fapi2 or { maxAge: 60 }"],
  nonce: [isObject, "{ secrets: [...] } or a checker of your own"],
  replay: [(value) => value !== null, 'a store with a claim method, or "external"'],
  certificates: [Array.isArray, "a list of sources, such as [certificates.cloudflare()]"],
  publicUrl: [(value) => isText(value) || isFunction(value) || isListOf(isText)(value), "an https origin, a list of them, or a function"],
  cors: [isObject, "an object with a list of origins"],
  tokens: [isAnything, "jwtTokens() or a source with a resolve method"],
  proofOfPossession: [isObject, 'an object, such as { mechanism: "dpop" }'],
  resourceMetadata: [isText, "the URL as text"],
  cache: [isObject, "an object, such as { tokens: 1000 }"],
  issuer: [isAnything, "the issuer's name"],
  audience: [isAnything, "this server's name"],
  crypto: [isAnything, '"webcrypto" or wasmSignatures'],
  now: [isFunction, "a function that returns the seconds since the epoch"],
  onDecision: [isFunction, "a function that takes a decision"],
};

/** Those that are objects themselves, of which no other members are known. */
const WITHIN = { cors: CORS, proofOfPossession: CONSTRAINT, cache: CACHE } as const;

/** Checks the shape of a role's options. Throws a `TypeError` that says what to give. */
export function checkShape(options: object): void {
  checkOwn(options, OPTIONS, "options");
  const given = options as Record<string, object | undefined>;
  for (const [name, members] of Object.entries(WITHIN)) {
    if (given[name] !== undefined) checkOwn(given[name], members, name);
  }
  const nonce = given["nonce"];
  if (nonce === undefined) return;
  // A checker may be an object of any class.
  if ("check" in nonce) checkMembers(nonce, NONCE_CHECKER, "nonce.", true);
  else checkOwn(nonce, NONCE_POLICY, "nonce");
}

/** Checks an object whose members are all known: any other is a slip of the pen. */
export function checkOwn(value: unknown, members: Members, name: string): void {
  if (!isObject(value)) throw new TypeError(`${name}: give an object`);
  const stranger = Object.keys(value as object).find((member) => !Object.hasOwn(members, member));
  if (stranger !== undefined) {
    throw new TypeError(`${name}: ${JSON.stringify(stranger)} is not known; there are ${Object.keys(members).join(", ")}`);
  }
  checkMembers(value as object, members, members === OPTIONS ? "" : `${name}.`);
}

function checkMembers(value: object, members: Members, prefix: string, all = false): void {
  for (const [name, [is, give]] of Object.entries(members)) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined && !all) continue;
    // Null is no way to leave an option out: it is what is left of one that could not be had.
    if (member === null || !is(member)) throw new TypeError(`${prefix}${name}: give ${give}${all ? "" : ", or leave it out"}`);
  }
}
