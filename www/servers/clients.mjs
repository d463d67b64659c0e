// @ts-check
// Who may ask the authorization server for what: the page, and a machine.

export const PAGE_CLIENT = "notes-page";
export const MACHINE_CLIENT = "nightly-backup";

/** The name in the machine's certificate (RFC 8705 §2.1.2, `tls_client_auth_san_uri`). */
export const MACHINE_NAME = "urn:example:machine:nightly-backup";

/** The API's scopes, and what they mean to a person. */
export const SCOPES = { "notes:read": "Read your notes", "notes:write": "Add notes" };

/**
 * A page: a public client, whose tokens are bound to its key (RFC 9449 §5.2) and whose authorization requests are pushed (RFC 9126 §6).
 * @param {string} redirectUri
 */
export function pageClient(redirectUri) {
  return {
    client_id: PAGE_CLIENT,
    client_name: "Notes",
    application_type: "web",
    token_endpoint_auth_method: "none",
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    scope: Object.keys(SCOPES).join(" "),
    dpop_bound_access_tokens: true,
    require_pushed_authorization_requests: true,
  };
}

/** A machine: it shows who it is by its certificate (RFC 8705 §2.1), and its tokens are bound to that (§3.4). */
export function machineClient() {
  return {
    client_id: MACHINE_CLIENT,
    client_name: "Nightly backup",
    token_endpoint_auth_method: "tls_client_auth",
    tls_client_auth_san_uri: MACHINE_NAME,
    tls_client_certificate_bound_access_tokens: true,
    redirect_uris: [],
    grant_types: ["client_credentials"],
    response_types: [],
    scope: "notes:read",
  };
}
