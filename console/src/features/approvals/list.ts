// Which requests a list shows and in which order, and how their effect and facts are grouped. Pure.
import type { Approval, ApprovalDetail } from '@/shared/api/types'
import { inTime } from '@/shared/ui/scope'

export const FILTERS = ['state', 'action', 'mine', 'project', 'run', 'from', 'to'] as const
export type Filters = Record<(typeof FILTERS)[number], string[]>
const FIELDS = ['state', 'action', 'project', 'run'] as const

/** Say whether `row` belongs into a list with these filters; whether it is mine only the server knows. */
export function matchesApproval(row: Approval, filters: Filters): boolean {
  const fields = { state: row.state, action: row.action, project: row.project_id, run: row.run_id }
  return (
    inTime(row.opened_at, filters) &&
    FIELDS.every((name) => filters[name].length === 0 || filters[name].includes(fields[name] ?? ''))
  )
}

/** What waits for a decision is on top, then the newest. */
export function byUrgency(a: Approval, b: Approval): number {
  const waits = (row: Approval) => (row.state === 'requested' ? 0 : 1)
  if (waits(a) !== waits(b)) return waits(a) - waits(b)
  return a.opened_at === b.opened_at ? (a.id < b.id ? 1 : -1) : a.opened_at < b.opened_at ? 1 : -1
}

type Line = ApprovalDetail['display'][number]
/** Say who asked in the forge's words: a run's number, or the person. */
export const requesterOf = ({ requester }: Approval) => requester.run_number ?? requester.initiator

/** Return the facts by section, in the order of their first line. */
export function sectionsOf(lines: readonly Line[]): { name: Line['section']; lines: Line[] }[] {
  const names = [...new Set(lines.map((line) => line.section))]
  return names.map((name) => ({ name, lines: lines.filter((line) => line.section === name) }))
}

/** Return the first twelve digits of a hash: what a decision is bound to. */
export const shortHash = (hash: string) => hash.replace(/^sha256:/, '').slice(0, 12)
