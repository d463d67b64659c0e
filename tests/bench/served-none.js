// The worker of the benchmarks without any verification: what the runtime and the socket take.
export default {
  fetch(request) {
    return Response.json({ hello: request.headers.get("dpop") === null ? "nobody" : "alice" });
  },
};
