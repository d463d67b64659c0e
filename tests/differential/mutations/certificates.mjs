// The client's certificate and somebody else's.
import { certificate } from "../../conformance/generator/keys.mjs";

export const CERTIFICATE = certificate("client");
export const OTHER_CERTIFICATE = certificate("other");
