// Signatures that are good at once, so that what is left of a decision can be timed. Reaches into the package, as no user can.

/** A provider, made of the package's own classes. */
export function instantSignatures({ ALGORITHMS, Signatures }) {
  const key = { serves: () => true, verify: async () => true };
  class Instant extends Signatures {
    name = "instant";
    algorithms = ALGORITHMS;

    async init() {}

    async import() {
      return key;
    }
  }
  return new Instant();
}
