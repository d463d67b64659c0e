// The kinds of steps, as crates/keybound-edge/src/npm.rs numbers them. Constants of a module: bundlers put the numbers in their places.

export const rejected = 0;
export const accepted = 1;
export const needNonce = 2;
export const needKeys = 3;
export const needSource = 4;
export const needSignatures = 5;
export const needCertificate = 6;
export const needReplay = 7;
export const needClientType = 8;
export const needAuthorization = 9;
