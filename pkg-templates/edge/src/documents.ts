// JSON documents of other servers: no redirects, no patience without end, no more than fits.

/** Milliseconds a document may take. */
export const PATIENCE = 5_000;

/** Octets of a document that are read. */
const MAX_DOCUMENT = 1 << 20;

/** The text of an answer with status 200. */
export function readDocument(response: Response, url: URL, maxOctets = MAX_DOCUMENT): Promise<string> {
  if (response.status === 200) return readBounded(response, url, maxOctets);
  response.body?.cancel().catch(() => undefined);
  throw new Error(`${url.href} answered ${response.status}`);
}

/** The text of a response, of which no more is taken in than a document may have. */
async function readBounded(response: Response, url: URL, maxOctets: number): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) return text + decoder.decode();
    length += chunk.value.byteLength;
    if (length > maxOctets) {
      reader?.cancel().catch(() => undefined);
      throw new Error(`${url.href} is too large`);
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}
