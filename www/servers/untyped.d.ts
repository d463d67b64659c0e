// What the demo uses of packages that bring no types of their own.

declare module "oidc-provider" {
  export const errors: Record<string, new (message?: string) => Error>;
  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): (request: import("node:http").IncomingMessage, answer: import("node:http").ServerResponse) => void;
    on(event: string, listener: (context: any, error: any) => void): void;
    interactionDetails(request: import("node:http").IncomingMessage, answer: import("node:http").ServerResponse): Promise<unknown>;
    interactionFinished(request: import("node:http").IncomingMessage, answer: import("node:http").ServerResponse, result: object, options?: { mergeWithLastSubmission?: boolean }): Promise<void>;
    Grant: { new (grant: { accountId?: string; clientId?: string }): Grant; find(id: string): Promise<Grant | undefined> };
  }
  interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }
}

declare module "cloudflare:workers" {
  export const env: Record<"ISSUER" | "RESOURCE" | "PUBLIC_ORIGIN" | "MTLS_ORIGIN" | "PAGE_ORIGIN" | "NONCE_SECRET", string>;
}
