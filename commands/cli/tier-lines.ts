/** Trackers by tier, for terminals. @module */

/** One tracker a line; tiers are numbered when there are several. */
export function tierLines(tiers: readonly (readonly string[])[]): readonly string[] {
  if (tiers.length < 2) return tiers.flat();
  return tiers.flatMap((urls, index) => {
    const label = `Tier ${index + 1}: `;
    return urls.map((url, at) => `${at === 0 ? label : ' '.repeat(label.length)}${url}`);
  });
}
