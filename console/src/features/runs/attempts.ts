// The attempts of a run as sections of its log. Pure.
import type { Attempt } from '@/shared/api/types'

/** Ends of an attempt after which the run goes on by itself or has what it wanted. */
const FINE = new Set(['completed', 'parked', 'rate_limited', 'budget', 'interrupted'])

export interface Section {
  generation: number
  attempt?: Attempt
}

/** Return one section for each of `count` attempts, in order, with what is known of it. */
export function sectionsOf(count: number, attempts: readonly Attempt[]): Section[] {
  return Array.from({ length: count }, (_, n) => ({
    generation: n + 1,
    attempt: attempts.find((item) => item.generation === n + 1),
  }))
}

/** Say whether an attempt ended badly. */
export function wentWrong({ outcome }: Attempt): boolean {
  return outcome !== null && !FINE.has(outcome)
}

/** Return the section that is open at first: of a failed run the attempt that failed, else the newest (null). */
export function openedFirst(failed: boolean, attempts: readonly Attempt[]): number | null {
  if (!failed) return null
  const newest = Math.max(0, ...attempts.map((item) => item.generation))
  const bad = attempts.filter(wentWrong).map((item) => item.generation)
  const last = Math.max(0, ...bad)
  return last === 0 || last === newest ? null : last
}
