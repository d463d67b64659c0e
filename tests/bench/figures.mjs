// Medians and spreads of what was measured.

/** The value below which this share of the values lies. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (values) => quantile(values, 0.5);

/** The bounds of the middle half. */
export const spread = (values) => [quantile(values, 0.25), quantile(values, 0.75)];
