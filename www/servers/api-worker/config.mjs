// @ts-check
// The workerd configuration of the API: one worker, its settings, and two doors on loopback.

/**
 * @typedef {object} WorkerConfig
 * @property {string[]} modules File names; the entry first.
 * @property {Record<string, string>} settings What the worker reads from `env`.
 * @property {number} publicPort
 * @property {string} cfHeader The field whose JSON becomes `request.cf`, at the front's door only: what a client sends there is nothing at the public one.
 */

/**
 * Text of a config.capnp; module files stand beside it.
 * @param {WorkerConfig} config
 */
export function workerdConfig({ modules, settings, publicPort, cfHeader }) {
  const moduleList = modules.map((file) => `(name = ${text(file)}, ${file.endsWith(".wasm") ? "wasm" : "esModule"} = embed ${text(file)})`);
  const bindings = Object.entries(settings).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "api", worker = .api),
    # Where the worker's fetch may go: this machine, for the authorization server's metadata and keys.
    (name = "loopback", network = (allow = ["local"])),
  ],
  sockets = [
    (name = "public", address = "127.0.0.1:${publicPort}", service = "api", http = ()),
    (name = "front", address = "127.0.0.1:0", service = "api", http = (cfBlobHeader = ${text(cfHeader)}, forwardedProtoHeader = "X-Forwarded-Proto")),
  ],
);

const api :Workerd.Worker = (
  modules = [
    ${moduleList.join(",\n    ")},
  ],
  bindings = [
    ${bindings.join(",\n    ")},
  ],
  compatibilityDate = "2026-10-01",
  globalOutbound = "loopback",
);
`;
}

/** A Cap'n Proto text literal: JSON's escapes are among its own, for what appears here. @param {string} value */
function text(value) {
  return JSON.stringify(value);
}
