// Runs a program to its end and says what it said if it fails.
import { execFile } from "node:child_process";

/** Resolves to standard output. */
export function run(program, args, { cwd, env, timeout = 120_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { cwd, env: { ...process.env, ...env }, timeout, killSignal: "SIGKILL", maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${program} ${args.join(" ")} failed: ${error.message}\n${stdout}\n${stderr}`));
      },
    );
    // Nobody will answer a question.
    child.stdin.end();
  });
}
