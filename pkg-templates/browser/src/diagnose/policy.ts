// Where the page's Content-Security-Policy does not let requests go: the one refusal that a browser explains.

import { bad, type Finding, urlOf } from "./check.js";

/** How long a report may come after the request that it is about. */
const REPORT_PATIENCE = 100;

/** Heard until `end`. */
export interface Refusals {
  /** What to say of requests to this origin, if the policy is why they fail. */
  of(origin: string): Promise<Finding | undefined>;
  end(): void;
}

export function hearRefusals(): Refusals {
  const origins = new Set<string | undefined>();
  const heard = (event: Event): void => {
    const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
    // Some engines name the origin, others the whole URL.
    if (effectiveDirective === "connect-src") origins.add(urlOf(blockedURI)?.origin);
  };
  // Where there is no page and no worker, there is no policy.
  const target: Partial<EventTarget> = globalThis.document ?? globalThis;
  target.addEventListener?.("securitypolicyviolation", heard);
  return {
    async of(origin) {
      await new Promise((resolve) => setTimeout(resolve, REPORT_PATIENCE));
      if (!origins.has(origin)) return undefined;
      return bad(
        `the Content-Security-Policy of this page does not let it ask ${origin}`,
        `In the answer that brings this page, connect-src has to name it:\nContent-Security-Policy: connect-src 'self' ${origin}`,
      );
    },
    end: () => target.removeEventListener?.("securitypolicyviolation", heard),
  };
}
