// What the lists are narrowed to for the whole console: projects and a time range. Pure.
import type { LocationQuery } from 'vue-router'

/** What of the scope a screen's server side can filter by. */
export interface Scoped {
  project?: 'one' | 'many'
  time?: boolean
}
export const SCOPE = ['project', 'from', 'to'] as const
type Values = Partial<Record<(typeof SCOPE)[number], readonly string[]>>

const many = (value: LocationQuery[string] | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item): item is string => Boolean(item))

/** Return the part of an address that is scope and that a screen of the kind `able` understands. */
export function scopeOf(query: LocationQuery, able: Scoped = {}): LocationQuery {
  const projects = many(query.project).slice(0, able.project === 'one' ? 1 : undefined)
  const found: LocationQuery = {}
  if (able.project && projects.length > 0) found.project = projects.length === 1 ? projects[0]! : projects
  for (const name of able.time ? (['from', 'to'] as const) : []) {
    const [value] = many(query[name])
    if (value) found[name] = value
  }
  return found
}

/** Say whether something of the time `at` is inside the range, as the server reads it: from inclusive, to exclusive. */
export function inTime(at: string | null, { from = [], to = [] }: Values): boolean {
  const time = at === null ? Number.NaN : Date.parse(at)
  const after = from[0] === undefined || time >= Date.parse(from[0])
  return after && (to[0] === undefined || time < Date.parse(to[0]))
}

const HOUR = 3_600_000
export const SPANS = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR } as const

/** Return when a span that ends now begins: a fixed time, so that a pasted link shows the same. */
export function begin(span: keyof typeof SPANS, now: number): string {
  return new Date(Math.floor((now - SPANS[span]) / 60_000) * 60_000).toISOString()
}
