// What an application says to a session, and what it hears.

import type { KeyboundEvent } from "../events.js";
import type { BoundToken } from "../fetch.js";
import type { DpopKey, SigningAlgorithm } from "../key.js";
import type { NonceStore } from "../nonces.js";
import type { SessionEvent } from "./events.js";

/** What a session is for. */
export interface SessionOptions {
  /** The authorization server's issuer identifier; its metadata is looked up (RFC 8414, OpenID Connect Discovery). */
  issuer: string | URL;
  /** A public client: it has no secret (RFC 6749 §2.1). */
  clientId: string;
  /** Where the authorization server sends the browser back to: a page that calls `finishLogin`. */
  redirectUri: string | URL;
  /** Where the token may go, as for `createFetch`. */
  origins: readonly (string | URL)[];
  /** Separated by blanks. `openid` for `claims`, `offline_access` for a refresh token at many servers. */
  scope?: string;
  /** The API that the token is for, where the server wants to know (RFC 8707). */
  resource?: string | URL;
  /** Tells sessions of one origin apart. By default one for each issuer and client. */
  name?: string;
  /** Of new keys. By default the first that server and browser know, ES256 before others. */
  algorithm?: SigningAlgorithm;
  /** The authorization server's metadata (RFC 8414 §2), instead of looking them up. */
  metadata?: Readonly<Record<string, unknown> & { issuer: string }>;
  /** Refuse requests to other origins. */
  strict?: boolean;
  /** Where nonces are kept; in the page's memory by default. */
  nonces?: NonceStore;
  /** Injected for tests and for composition. */
  fetch?: typeof fetch;
  /** Told about the session, also by other tabs, and about requests. */
  onEvent?: (event: SessionEvent | KeyboundEvent) => void;
}

/** How a login begins. */
export interface LoginOptions {
  /** What `finishLogin` gives back, as the page to go on with. Anything that JSON can write. */
  appState?: unknown;
  /** Further parameters of the authorization request: `prompt`, `login_hint`, `acr_values`, ... */
  parameters?: Record<string, string> | URLSearchParams;
}

/** A login that came to its end. */
export interface FinishedLogin {
  /** What was given to `login`. */
  appState: unknown;
}

/** How a session ends. */
export interface LogoutOptions {
  /** Where the authorization server sends the browser after its own logout, where it offers one. */
  postLogoutRedirectUri?: string | URL;
}

/** What is known of a session. It holds no token. */
export interface SessionInfo {
  /** Of the ID token, validated; none without the scope `openid`. */
  claims: Readonly<Record<string, unknown>> | undefined;
  /** What was granted, where the server says it. */
  scope: string | undefined;
  /** When the access token's time is up, in seconds since 1970 by this machine's clock. */
  expiresAt: number | undefined;
  /** The key that the tokens are bound to (RFC 7638). */
  thumbprint: string;
  /** `memory`: this browser stores no keys, the session dies with the page. */
  storage: "persistent" | "memory";
}

/** A login and what comes of it, one for all tabs of an origin. */
export interface Session {
  /** `createFetch` with this session's token and key. While nobody is logged in, requests go out plain. */
  readonly fetch: typeof fetch;
  /** Sends this page to the authorization server. */
  login(options?: LoginOptions): Promise<void>;
  /** The address that `login` goes to, for a popup or a link. It serves one login. */
  loginUrl(options?: LoginOptions): Promise<URL>;
  /**
   * Finishes a login if the address is an answer of the authorization server, and takes the answer out of the page's address;
   * null if it is none, so that any page may call it at its start. Called twice with one address, also in two tabs, it gives the same.
   */
  finishLogin(url?: string | URL): Promise<FinishedLogin | null>;
  /** Null: nobody is logged in. */
  current(): Promise<SessionInfo | null>;
  /** The token, refreshed if it is nearly over, with its key; for what `fetch` cannot do. */
  bound(): Promise<{ token: BoundToken; key: DpopKey } | null>;
  /**
   * Ends the session in all tabs, revokes its tokens (RFC 7009), and gives the address at which the person also leaves the
   * authorization server (OpenID Connect RP-Initiated Logout); null where that offers none. Never fails for the network's sake.
   */
  logout(options?: LogoutOptions): Promise<URL | null>;
  /** Listens to other tabs no more. The session stays. */
  close(): void;
}
