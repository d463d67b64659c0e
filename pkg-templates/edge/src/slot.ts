// Places in the block of numbers in which the module says what a step needs.

export const gone = 0;
/** Handle of the waiting request, or number of the reason. */
export const value = 1;
/** Scheme of the request, written by `begin`. */
export const scheme = 2;

// Of `needKeys`.
export const issuer = 3;

// Of `needSignatures`.
export const key = 3;
export const certificate = 4;
export const tokenSignature = 5;
export const proofSignature = 10;

/** Where the SHA-256 of the access token stands. */
export const tokenHash = 17;

// Of `accepted`.
export const token = 3;
export const acceptedKey = 4;
export const renewsNonce = 5;
export const mechanisms = 6;
export const claims = 7;
/** At a token endpoint in the place of claims: the thumbprint of the certificate. */
export const boundCertificate = 7;
export const jkt = 9;

/** The nonce, token, claims or mark that is asked about; the mark that an acceptance leaves to the caller. */
export const text = 15;
