// The target URI as clients see it, where a proxy stands in front or the host comes from the client.

import { isSecure } from "./options.js";
import type { ResourceServerOptions } from "./types.js";

/** Gives the target URI of a request; null: it is for none of ours. */
export type TargetOf = (request: Request) => string | null;

interface Place {
  host: string;
  origin: string;
  prefix: string;
}

interface Target {
  path: string;
  query: string;
}

/** Reads `publicUrl`. */
export function targetOf(publicUrl: ResourceServerOptions["publicUrl"]): TargetOf {
  if (publicUrl === undefined) return (request) => request.url;
  if (typeof publicUrl === "function") return (request) => textOf(publicUrl, request);
  if (typeof publicUrl === "string") {
    const place = placeOf(publicUrl);
    return (request) => within(place, afterHost(request.url));
  }
  const places = publicUrl.map(placeOf);
  if (places.length === 0) throw new TypeError("publicUrl: the list is empty");
  return (request) => {
    const host = hostOf(request.url);
    const target = afterHost(request.url);
    const here = places.filter((place) => place.host === host);
    // Of several on one host it is the one whose prefix the path has.
    const place = here.find((place) => has(place, target)) ?? (here.length === 1 ? here[0] : undefined);
    return place === undefined ? null : within(place, target);
  };
}

/** What the caller's function gives; where it fails, as it may for fields that the client made up, the request is for none of ours. */
function textOf(give: (request: Request) => unknown, request: Request): string | null {
  try {
    const text = give(request);
    return typeof text === "string" ? text : null;
  } catch {
    return null;
  }
}

function placeOf(text: string): Place {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new TypeError(`publicUrl: ${JSON.stringify(text)} is no absolute URL`, { cause });
  }
  if (!isSecure(url) || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new TypeError(`publicUrl: ${JSON.stringify(text)} must be an https origin, with a path prefix at most`);
  }
  return { host: url.host, origin: url.origin, prefix: url.pathname.replace(/\/$/, "") };
}

/** The proxy may have taken the prefix off the path, or not. */
function within(place: Place, target: Target): string {
  return place.origin + (has(place, target) ? "" : place.prefix) + target.path + target.query;
}

function has({ prefix }: Place, { path }: Target): boolean {
  return prefix === "" || path === prefix || path.startsWith(`${prefix}/`);
}

/** Path and query of a serialised URL. */
function afterHost(url: string): Target {
  const at = url.indexOf("/", url.indexOf("://") + 3);
  const text = at < 0 ? "/" : url.slice(at);
  const end = text.search(/[?#]/);
  return end < 0 ? { path: text, query: "" } : { path: text.slice(0, end), query: text.slice(end) };
}

function hostOf(url: string): string {
  return new URL(url).host;
}
