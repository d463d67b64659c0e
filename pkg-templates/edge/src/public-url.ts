// The target URI as clients see it, where a proxy stands in front or the host comes from the client.

import type { ResourceServerOptions } from "./types.js";

/** Gives the target URI of a request; null: it is for none of ours. */
export type TargetOf = (request: Request) => string | null;

interface Place {
  host: string;
  origin: string;
  prefix: string;
}

/** Reads `publicUrl`. */
export function targetOf(publicUrl: ResourceServerOptions["publicUrl"]): TargetOf {
  if (publicUrl === undefined) return (request) => request.url;
  if (typeof publicUrl === "function") return publicUrl;
  if (typeof publicUrl === "string") {
    const place = placeOf(publicUrl);
    return (request) => within(place, pathOf(request.url));
  }
  const places = new Map(publicUrl.map((url) => [placeOf(url).host, placeOf(url)]));
  if (places.size === 0) throw new TypeError("publicUrl: the list is empty");
  return (request) => {
    const place = places.get(hostOf(request.url));
    return place === undefined ? null : within(place, pathOf(request.url));
  };
}

function placeOf(text: string): Place {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new TypeError(`publicUrl: ${JSON.stringify(text)} is no absolute URL`, { cause });
  }
  if (!/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new TypeError(`publicUrl: ${JSON.stringify(text)} must be an https origin, with a path prefix at most`);
  }
  return { host: url.host, origin: url.origin, prefix: url.pathname.replace(/\/$/, "") };
}

/** The proxy may have taken the prefix off the path, or not. */
function within(place: Place, path: string): string {
  const has = place.prefix === "" || path === place.prefix || path.startsWith(`${place.prefix}/`);
  return place.origin + (has ? "" : place.prefix) + path;
}

/** Path and query of a serialised URL. */
function pathOf(url: string): string {
  const at = url.indexOf("/", url.indexOf("://") + 3);
  return at < 0 ? "/" : url.slice(at);
}

function hostOf(url: string): string {
  return new URL(url).host;
}
