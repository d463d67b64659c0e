// Loads the module, whose `main` then takes over the page.
import start from "./spa.js";

await start({ module_or_path: new URL("spa_bg.wasm", import.meta.url) });
