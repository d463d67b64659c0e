import * as keybound from "@keybound/browser";
import { REQUEST, prove, report } from "./prove.js";

report(() => prove(keybound, REQUEST));
