// Requests whose target or method client and server must name alike (RFC 9449 §4.3, RFC 3986 §6.2).

/** What stands after the origin, and the rest of the request. */
export const REQUESTS = [
  ["/orders"], ["/orders?page=2&sort=up"], ["/a/../b?x=1#y"], ["/%7Eada/%c3%a9t%C3%A9"], ["/ada's orders(1)"], ["/a%2Fb//c/"], [""],
  ...["POST", "PUT", "PATCH", "DELETE"].map((method) => ["/orders", { method, body: "x" }]),
];
