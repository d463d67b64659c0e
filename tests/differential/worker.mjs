// A thread of the differential test. Its clock stands still, because oauth4webapi asks `Date.now()`.
import { parentPort, workerData } from "node:worker_threads";
import { NOW } from "./scenario.mjs";

Date.now = () => NOW * 1000;

const { compareRange } = await import("./compare.mjs");
const { withoutChecks, wrongRefusals } = await import("./sabotage.mjs");
const { keybound, oauth4webapi } = await import("./sides.mjs");
const { edge } = await import("../edge/support.mjs");

const sides = { keybound: keybound(), cold: keybound(edge, { tokens: 1, keys: 1 }), oauth4webapi: oauth4webapi() };
const TASKS = { compare: compareRange, "without checks": withoutChecks, "wrong refusals": wrongRefusals };

parentPort.postMessage(await TASKS[workerData.task](workerData, sides));
