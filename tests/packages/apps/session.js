import * as keybound from "@keybound/browser";
import { createSession } from "@keybound/browser/session";
import { REQUEST, proveAndLogIn, report } from "./prove.js";

report(() => proveAndLogIn(keybound, createSession, REQUEST));
