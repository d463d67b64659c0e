// The test body in workerd:
//
//   cargo build --target wasm32-unknown-unknown --package keybound-provider-tests --example workerd
//   wasm-bindgen --target web --no-typescript --out-dir tests/providers/out/workerd TARGET/wasm32-unknown-unknown/debug/examples/workerd.wasm
//   workerd test tests/providers/workerd/config.capnp
import module from "./workerd_bg.wasm";
import { initSync, names, run } from "./workerd.js";

export default {
  async test() {
    initSync({ module });
    const all = names().split(" ");
    for (const name of all) {
      try {
        console.log(`ok ${name}: ${await run(name)}`);
      } catch (error) {
        // A trap leaves the module unusable: nothing can run after it.
        throw new Error(`FAILED ${name}`, { cause: error });
      }
    }
    console.log(`${all.length} passed, 0 failed`);
  },
};
