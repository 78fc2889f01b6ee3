// What the list of runs shows and in which order. Pure.
import type { Run } from '@/shared/api/types'
import type { Frame } from '@/shared/realtime/protocol'
import { inTime } from '@/shared/ui/scope'

const FIELDS = ['status', 'wait_reason', 'stage', 'role', 'project', 'issue', 'pr', 'actor'] as const
export const FILTERS = [...FIELDS, 'from', 'to'] as const
export type RunFilters = Record<(typeof FILTERS)[number], string[]>
export const ACTIVE = ['preparing', 'running', 'finishing', 'cancelling']

/** Say whether `run` belongs into a list with these filters: same name OR, different names AND. */
export function matchesRun(run: Run, filters: RunFilters): boolean {
  const fields: Record<(typeof FIELDS)[number], string | null> = {
    status: run.status,
    wait_reason: run.wait?.kind ?? null,
    stage: run.stage,
    role: run.role,
    project: run.project_id,
    issue: run.issue_number === null ? null : String(run.issue_number),
    pr: run.pr_number === null ? null : String(run.pr_number),
    actor: run.requested_by.id,
  }
  return (
    inTime(run.created_at, filters) &&
    FIELDS.every((name) => filters[name].length === 0 || filters[name].includes(fields[name] ?? ''))
  )
}

/** Newest first, as the server sorts. */
export function byAge(a: Run, b: Run): number {
  const [x, y] = [a.created_at ?? '', b.created_at ?? '']
  return x === y ? (a.id < b.id ? 1 : -1) : x < y ? 1 : -1
}

/** Frames carry all of a row but what the run used: that is loaded once, when it has ended. */
export function needsLoad(before: Run, after: Run): boolean {
  return before.finished_at === null && after.finished_at !== null
}

/** A pull request that changed is shown by every run that has it; undefined: the frame tells of a run. */
export function pullRequestOf({ kind, data }: Frame): ((row: Run) => Run) | undefined {
  if (kind !== 'run.pr.updated') return undefined
  const fresh = data?.pull_request as Run['pull_request'] | undefined
  return (row) => (fresh && row.pull_request?.url === fresh.url ? { ...row, pull_request: fresh } : row)
}

/** Cost in the currency's millionths as text; null is unknown, not zero. */
export function costText(micros: number | null, locale: string): string {
  if (micros === null) return '—'
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: 'USD',
    maximumFractionDigits: 2,
  })
  return format.format(micros / 1_000_000)
}

/** The address of the issue at the forge, from the run's pull request or repository. */
export function threadOf(run: Run): string {
  const number = run.issue_number ?? run.pr_number
  return number === null ? run.subject : `${run.repository}#${number}`
}
