// What the list of runs shows and in which order. Pure.
import type { Run } from '@/shared/api/types'

export const FILTERS = ['status', 'wait_reason', 'stage', 'role', 'project', 'issue', 'pr', 'actor'] as const
export type RunFilters = Record<(typeof FILTERS)[number], string[]>
export const ACTIVE = ['preparing', 'running', 'finishing', 'cancelling']

/** Say whether `run` belongs into a list with these filters: same name OR, different names AND. */
export function matchesRun(run: Run, filters: RunFilters): boolean {
  const fields: Record<keyof RunFilters, string | null> = {
    status: run.status,
    wait_reason: run.wait?.kind ?? null,
    stage: run.stage,
    role: run.role,
    project: run.project_id,
    issue: run.issue_number === null ? null : String(run.issue_number),
    pr: run.pr_number === null ? null : String(run.pr_number),
    actor: run.requested_by.id,
  }
  return FILTERS.every(
    (name) => filters[name].length === 0 || (fields[name] !== null && filters[name].includes(fields[name])),
  )
}

/** Newest first, as the server sorts. */
export function byAge(a: Run, b: Run): number {
  const [x, y] = [a.created_at ?? '', b.created_at ?? '']
  return x === y ? (a.id < b.id ? 1 : -1) : x < y ? 1 : -1
}

const WITH_LINK = new Set(['finishing', 'succeeded', 'failed'])

/** Frames carry neither the wait nor the pull request: a change of those is loaded. */
export function needsLoad(before: Run, after: Run): boolean {
  if (before.status === after.status) return false
  if (after.status === 'waiting') return true
  return WITH_LINK.has(after.status) && (after.pull_request === null || after.status !== 'finishing')
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
