// @ts-check
// The stand-alone inspector: paste a proof, read what it says.

import { element, find } from "../dom.js";
import { Undecodable, decode } from "./decode.js";
import { findings } from "./findings.js";
import { thumbprint } from "./keys.js";
import { isProof, tokenView } from "./view.js";

/** The proof for a protected resource of RFC 9449 §7.1, figure 13. */
const EXAMPLE =
  "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

/**
 * @returns {{ offer(compact: string): void }} `offer`: what the button "the last one sent here" pastes.
 */
export function setUpInspector() {
  const input = find("#inspected", document, HTMLTextAreaElement);
  const reading = find("#reading");
  const last = find("#inspect-last", document, HTMLButtonElement);
  let offered = "";
  let shown = 0;

  const show = async () => {
    const turn = ++shown;
    const content = await read(input.value);
    if (turn === shown) reading.replaceChildren(...content);
  };
  const paste = (/** @type {string} */ text) => {
    input.value = text;
    return show();
  };
  input.addEventListener("input", show);
  last.addEventListener("click", () => paste(offered));
  find("#inspect-example").addEventListener("click", () => paste(EXAMPLE));
  find("#inspect-clear").addEventListener("click", () => {
    paste("");
    input.focus();
  });
  show();

  return {
    offer(compact) {
      offered = compact;
      last.disabled = false;
    },
  };
}

/** @param {string} text @returns {Promise<Node[]>} */
async function read(text) {
  if (text.trim() === "") return [element("p", { class: "waiting" }, "Paste a proof, and its parts appear here.")];
  try {
    const decoded = decode(text);
    const remarks = await findings(decoded, Date.now() / 1000);
    const name = await thumbprint(decoded.header.jwk);
    return [
      element("ul", { class: "findings" }, remarks.map(({ tone, text: words }) => element("li", { class: tone }, words))),
      tokenView(decoded, { title: isProof(decoded) ? "A proof" : "Another kind of token", notes: name === null ? {} : { jwk: { tone: "plain", text: `Its thumbprint is ${name}.` } } }),
    ];
  } catch (error) {
    if (!(error instanceof Undecodable)) throw error;
    return [element("ul", { class: "findings" }, element("li", { class: "bad" }, error.message))];
  }
}
