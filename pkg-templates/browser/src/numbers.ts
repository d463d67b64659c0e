// The commands of an exchange, as crates/keybound-browser/src/npm/numbers.rs numbers them.

// Constants of their own instead of an enum: a bundler puts the numbers in place and drops the names.
export const PASS_THROUGH = 0;
export const RETURN = 1;
export const ASK_TOKEN = 2;
export const ASK_OTHER_TOKEN = 3;
export const PREPARE = 4;
export const SEND = 5;
export const READ_BODY = 6;
export const STORE_NONCE = 7;
export const ADJUST_CLOCK = 8;
export const FOLLOW = 9;
export const REPORT_NONCE_RETRY = 10;
export const REPORT_TOKEN_RETRY = 11;
export const REPORT_NONCE_HIDDEN = 12;
// From 32 on: errors, see errors.ts.
