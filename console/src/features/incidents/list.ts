// Which incidents a list shows, and in which order. Pure.
import type { Incident } from '@/shared/api/types'

export const FILTERS = ['level', 'state', 'source', 'project', 'run'] as const
type Filters = Record<(typeof FILTERS)[number], string[]>

/** Say whether `row` belongs into a list with these filters. */
export function matchesIncident(row: Incident, filters: Filters): boolean {
  const fields = {
    level: row.level,
    state: row.state,
    source: row.source,
    project: row.project_id,
    run: row.run_id,
  }
  return FILTERS.every((name) => filters[name].length === 0 || filters[name].includes(fields[name] ?? ''))
}

/** Last seen on top. */
export function byLastSeen(a: Incident, b: Incident): number {
  return a.last_seen === b.last_seen ? (a.id < b.id ? 1 : -1) : a.last_seen < b.last_seen ? 1 : -1
}
