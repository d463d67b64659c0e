// Medians and spreads of what was measured, and kinds of work that take turns.

/** The value below which this share of the values lies. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (values) => quantile(values, 0.5);

/** The bounds of the middle half. */
export const spread = (values) => [quantile(values, 0.25), quantile(values, 0.75)];

/** `{ median, low, high }` of the values, as a row of results has them. */
export function summary(values) {
  const [low, high] = spread(values);
  return { median: median(values), low, high };
}

/** The median of the ratios of figures that were measured in one round. */
export const medianRatio = (values, against) => median(values.map((value, round) => value / against[round]));

/**
 * Figures for each kind of work, one a round: what `run(kind, round)` resolves to. The kinds take turns, each round with
 * another first, so that drift hits all alike. Of the `warmUp` rounds that come first nothing is kept.
 */
export async function interleave(kinds, { rounds, warmUp = 0 }, run) {
  const figures = Object.fromEntries(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds + warmUp; round += 1) {
    for (const index of kinds.keys()) {
      const kind = kinds[(index + round) % kinds.length];
      const figure = await run(kind, round);
      if (round >= warmUp) figures[kind].push(figure);
    }
  }
  return figures;
}
