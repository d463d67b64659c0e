import * as keybound from "@keybound/browser";
import { verifyProof } from "@keybound/edge";
import { REQUEST, proveAndVerify, report } from "./prove.js";

report(() => proveAndVerify(keybound, verifyProof, REQUEST));
