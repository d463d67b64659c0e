// The authorization server of a session: where it is, and requests to it.

import * as oauth from "oauth4webapi";
import { ranked } from "../algorithms.js";
import { clockOffsetOf } from "../exchange.js";
import { type DpopKey, generate } from "../key.js";
import { createTokenFetch } from "../token-fetch.js";
import { asking } from "./errors.js";
import type { SessionOptions } from "./options.js";
import type { Pair, Tokens } from "./records.js";

/** What one token request gave. */
export interface Grant {
  tokens: Tokens;
  claims: Record<string, unknown> | undefined;
}

/** How long a request may take, its retry included. Shorter than the lock is waited for. */
const LIMIT = 20_000;

export class Server {
  readonly #options: SessionOptions;
  readonly #issuer: URL;
  readonly #insecure: boolean;
  #metadata: Promise<oauth.AuthorizationServer> | undefined;
  /** One for each key: it learns the server's clock. */
  readonly #proving = new WeakMap<DpopKey, typeof fetch>();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#issuer = new URL(options.issuer);
    // As for proofs: http is for loopback hosts only.
    this.#insecure = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(this.#issuer.hostname);
  }

  /** RFC 8414, or OpenID Connect Discovery. Asked once; a failure is not kept. */
  metadata(): Promise<oauth.AuthorizationServer> {
    this.#metadata ??= asking(() => this.#discover()).catch((error: unknown) => {
      this.#metadata = undefined;
      throw error;
    });
    return this.#metadata;
  }

  /** A new key, of an algorithm that this server and this browser know. */
  async makePair(): Promise<Pair> {
    const { dpop_signing_alg_values_supported: known } = await this.metadata();
    const wanted = this.#options.algorithm;
    for (const algorithm of wanted ? [] : ranked(known ?? undefined)) {
      const pair = await generate(algorithm).catch(() => undefined);
      if (pair) return { pair, algorithm };
    }
    const algorithm = wanted ?? "ES256";
    return { pair: await generate(algorithm), algorithm };
  }

  /** Where the browser has to go (RFC 6749 §4.1.1); the parameters are pushed where the server offers it (RFC 9126). */
  async authorizationUrl(parameters: URLSearchParams, key: DpopKey | undefined): Promise<URL> {
    const as = await this.metadata();
    const { clientId, resource } = this.#options;
    fill(parameters, { client_id: clientId, resource: resource && String(resource) });
    return asking(async () => {
      const url = new URL(as.authorization_endpoint ?? "");
      oauth.checkProtocol(url, !this.#insecure);
      const shown = as.pushed_authorization_request_endpoint ? await this.#push(as, parameters, key) : parameters;
      for (const [name, value] of shown) url.searchParams.append(name, value);
      return url;
    });
  }

  /** The answer's parameters, if they are of this server (RFC 9207) and no error. */
  async validated(answer: URLSearchParams, state: string): Promise<URLSearchParams> {
    return oauth.validateAuthResponse(await this.metadata(), this.#client(), answer, state);
  }

  redeem(answer: URLSearchParams, redirectUri: string, verifier: string, key: DpopKey): Promise<Grant> {
    return this.#grant(
      (as, client, by) => oauth.authorizationCodeGrantRequest(as, client, oauth.None(), answer, redirectUri, verifier, by),
      oauth.processAuthorizationCodeResponse,
      key,
    );
  }

  refresh(refreshToken: string, key: DpopKey, before: Tokens): Promise<Grant> {
    return this.#grant(
      (as, client, by) => oauth.refreshTokenGrantRequest(as, client, oauth.None(), refreshToken, by),
      oauth.processRefreshTokenResponse,
      key,
      before,
    );
  }

  /** RFC 7009. Of a refresh token, where there is one: the access tokens go with it (§2.1). */
  async revoke({ refreshToken, accessToken }: Tokens, key: DpopKey): Promise<void> {
    const as = await this.metadata();
    if (!as.revocation_endpoint) return;
    const answer = oauth.revocationRequest(as, this.#client(), oauth.None(), refreshToken ?? accessToken, {
      ...this.#by(as, key),
      additionalParameters: { token_type_hint: refreshToken ? "refresh_token" : "access_token" },
    });
    await asking(() => answer.then(oauth.processRevocationResponse));
  }

  /** OpenID Connect RP-Initiated Logout; null where the server does not offer it. */
  async logoutUrl(idToken: string | undefined, back: string | undefined): Promise<URL | null> {
    const { end_session_endpoint: endpoint } = await this.metadata();
    if (!endpoint) return null;
    const url = new URL(endpoint);
    oauth.checkProtocol(url, !this.#insecure);
    const parameters = { client_id: this.#options.clientId, id_token_hint: idToken, post_logout_redirect_uri: back };
    fill(url.searchParams, parameters);
    return url;
  }

  async #discover(): Promise<oauth.AuthorizationServer> {
    const issuer = this.#issuer;
    const { metadata } = this.#options;
    if (metadata) return metadata as unknown as oauth.AuthorizationServer;
    const ask = async (algorithm: "oidc" | "oauth2"): Promise<oauth.AuthorizationServer> =>
      oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...this.#by() }));
    return ask("oidc").catch((first: unknown) =>
      ask("oauth2").catch(() => {
        throw first;
      }),
    );
  }

  async #push(as: oauth.AuthorizationServer, parameters: URLSearchParams, key: DpopKey | undefined): Promise<URLSearchParams> {
    const client = this.#client();
    const answer = await oauth.pushedAuthorizationRequest(as, client, oauth.None(), parameters, this.#by(as, key));
    const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, answer);
    return new URLSearchParams({ client_id: this.#options.clientId, request_uri });
  }

  async #grant(
    request: (as: oauth.AuthorizationServer, client: oauth.Client, by: By) => Promise<Response>,
    process: (as: oauth.AuthorizationServer, client: oauth.Client, response: Response) => Promise<oauth.TokenEndpointResponse>,
    key: DpopKey,
    before?: Tokens,
  ): Promise<Grant> {
    const as = await this.metadata();
    const { resource } = this.#options;
    const by = { ...this.#by(as, key), ...(resource && { additionalParameters: { resource: String(resource) } }) };
    return asking(async () => {
      const asked = Date.now();
      const response = await request(as, this.#client(), by);
      // The proof's own fetch has read the answer.
      const clockOffset = clockOffsetOf(this.#options.nonces, as.token_endpoint!);
      const answer = await process(as, this.#client(clockOffset), response);
      // Counted from the request on: rather too early than too late.
      const lifetime = answer.expires_in === undefined ? undefined : answer.expires_in * 1000;
      return {
        tokens: {
          accessToken: answer.access_token,
          // RFC 6749 §6: where the server sends no other, the old one stays.
          refreshToken: answer.refresh_token ?? before?.refreshToken,
          idToken: answer.id_token ?? before?.idToken,
          scope: answer.scope ?? before?.scope,
          clockOffset,
          expiresAt: lifetime && asked + lifetime,
          refreshAt: lifetime && asked + lifetime - Math.min(30_000, lifetime / 4),
        },
        claims: oauth.getValidatedIdTokenClaims(answer) as Record<string, unknown> | undefined,
      };
    });
  }

  #client(skew = 0): oauth.Client {
    return { client_id: this.#options.clientId, [oauth.clockSkew]: skew };
  }

  /** How requests go out; with a key, those of `createTokenFetch` make the proof, and nobody else does. */
  #by(as?: oauth.AuthorizationServer, key?: DpopKey): By {
    return {
      // Their types differ in what "undefined" is.
      [oauth.customFetch]: (as && key ? this.#prove(as, key) : (this.#options.fetch ?? fetch)) as By[typeof oauth.customFetch],
      [oauth.allowInsecureRequests]: this.#insecure,
      signal: () => AbortSignal.timeout(LIMIT),
    };
  }

  #prove(as: oauth.AuthorizationServer, key: DpopKey): typeof fetch {
    let send = this.#proving.get(key);
    if (!send) {
      const endpoints = [as.token_endpoint, as.pushed_authorization_request_endpoint, as.revocation_endpoint];
      send = createTokenFetch({ ...this.#options, key, origins: endpoints.filter((endpoint) => endpoint) as string[] });
      this.#proving.set(key, send);
    }
    return send;
  }
}

/** Sets the parameters that have a value. */
export function fill(query: URLSearchParams, parameters: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
}

/** What oauth4webapi takes with each request. */
interface By {
  [oauth.customFetch]: (url: string, init: object) => Promise<Response>;
  [oauth.allowInsecureRequests]: boolean;
  signal: () => AbortSignal;
}
