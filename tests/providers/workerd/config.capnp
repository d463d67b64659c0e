using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "providers", worker = .providers)],
);

const providers :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "workerd.js", esModule = embed "../out/workerd/workerd.js"),
    (name = "workerd_bg.wasm", wasm = embed "../out/workerd/workerd_bg.wasm"),
  ],
);
