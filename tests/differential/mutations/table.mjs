// How mutations are written down: `{ id, apply(scenario, random) }`.

export const onRequest = (id, apply) => ({ id: `request/${id}`, apply });

export const onProof = (id, apply) => ({ id: `proof/${id}`, apply: (scenario, random) => apply(scenario.proof, random, scenario) });

export const onToken = (id, apply) => ({
  id: `token/${id}`,
  apply(scenario, random) {
    scenario.tokenTouched = true;
    apply(scenario.token, random, scenario);
  },
});

/** One for the proof, and the same for the token. */
export const onEither = (id, apply) => ({ either: [onProof(id, apply), onToken(id, apply)] });

export const flat = (tables) => tables.flat(Infinity).flatMap((entry) => entry.either ?? [entry]);

/** Sets members of a JWT's part, one mutation a row: `[id, value]`, `undefined` takes it away. */
export const values = (on, part, name, rows) =>
  rows.map(([id, value]) => on(`${name}/${id}`, (jwt) => (value === undefined ? jwt[part].remove(name) : jwt[part].set(name, value))));

/** As `values`, the values as JSON texts which are also their ids. */
export const texts = (on, part, name, list) => list.map((text) => on(`${name}/${text}`, (jwt) => jwt[part].write(name, text)));
