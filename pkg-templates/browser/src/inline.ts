// The package with the WebAssembly module inside, for tool chains that lose assets.

import bytes from "./inline-bytes.js";
import { provide } from "./init.js";

provide(() => Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0)));

export * from "./index.js";
