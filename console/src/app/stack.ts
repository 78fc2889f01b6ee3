// Which errors stand in the corner: not seen by me, not muted, error or worse, newest on top. Pure.
import type { Incident } from '@/shared/api/types'

const LOUD = ['critical', 'error']

/** Return the errors that are shown, newest first. */
export function stacked(items: readonly Incident[], now = Date.now()): Incident[] {
  return items
    .filter((item) => !item.viewed && item.state === 'open' && LOUD.includes(item.level))
    .filter((item) => !item.muted_until || Date.parse(item.muted_until) <= now)
    .sort((a, b) => (a.last_seen < b.last_seen ? 1 : -1))
}
