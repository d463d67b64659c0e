// What `worker-build` puts around a worker in Rust, as far as it is needed: the example of keybound-edge, made by `cargo xtask rust-worker`.
import { fetch, initSync, ReplayShard } from "./rust/worker.js";
import module from "./rust/worker_bg.wasm";

initSync({ module });

export { ReplayShard };
export default { fetch };
