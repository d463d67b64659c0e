// @keybound/browser/session: the authorization-code flow for pages (RFC 6749, RFC 7636, RFC 9126, RFC 9449), built on oauth4webapi.

export { createSession } from "./session.js";
export type { FinishedLogin, LoginOptions, LogoutOptions, Session, SessionInfo, SessionOptions } from "./options.js";
export type { EndReason, SessionEvent } from "./events.js";
