// Places of lines along the scroll bar. Pure.
const STEPS = 400

/** Return where lines stand in a log of `count` lines, in per cent of its height, each place once. */
export function trackPlaces(lines: readonly number[], count: number): number[] {
  if (count === 0) return []
  const steps = new Set(lines.map((line) => Math.floor((line / count) * STEPS)))
  return [...steps].map((step) => (step / STEPS) * 100)
}
