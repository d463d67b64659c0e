// What an application is told about its session.

/** Why a session is over. */
export type EndReason =
  /** Somebody called `logout`. */
  | "logout"
  /** The authorization server no longer takes the refresh token (`invalid_grant`). */
  | "refused"
  /** The access token's time is up, and there is no refresh token. */
  | "expired"
  /** The browser no longer has it: its site data was cleared. */
  | "lost";

/** Each tab is told once; `elsewhere`: it happened in another tab. */
export type SessionEvent =
  | { type: "session_started"; elsewhere: boolean }
  | { type: "session_refreshed"; elsewhere: boolean }
  | { type: "session_ended"; reason: EndReason; elsewhere: boolean }
  /** The session is over here, but the server was not told: its tokens live until they expire. */
  | { type: "revocation_failed"; cause: unknown };
