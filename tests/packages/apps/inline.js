import * as keybound from "@keybound/browser/inline";
import { REQUEST, prove, report } from "./prove.js";

report(() => prove(keybound, REQUEST));
