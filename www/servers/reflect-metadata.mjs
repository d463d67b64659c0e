// @ts-check
// The three functions of the metadata proposal that `@peculiar/x509` (through tsyringe) asks for when it is loaded.

/** @type {WeakMap<object, Map<unknown, unknown>>} */
const metadata = new WeakMap();

Object.assign(Reflect, {
  /** @param {unknown} key @param {unknown} value @param {object} target */
  defineMetadata(key, value, target) {
    const own = metadata.get(target) ?? new Map();
    metadata.set(target, own.set(key, value));
  },
  /** @param {unknown} key @param {object} target */
  getOwnMetadata(key, target) {
    return metadata.get(target)?.get(key);
  },
  /** @param {unknown} key @param {object | null} target */
  getMetadata(key, target) {
    for (let owner = target; owner !== null; owner = Object.getPrototypeOf(owner)) {
      if (metadata.get(owner)?.has(key)) return metadata.get(owner)?.get(key);
    }
    return undefined;
  },
});
