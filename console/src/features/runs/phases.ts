// The phases of a run with their times, and the one sentence that says what it does now. Pure.
import type { Run, WaitFrame } from '@/shared/api/types'

export const PHASES = ['queued', 'preparing', 'running', 'finishing'] as const
export const ENDS = ['succeeded', 'failed', 'cancelled']

export interface Phase {
  name: string
  state: 'done' | 'current' | 'ahead' | 'failed'
  from: string | null
  to: string | null
  /** Seconds of a phase in which the run stood still, where that is worth a word. */
  stood?: number
}
const LONG_PAUSE = 300

/** Say whether the run has ended. */
export function ended(run: Pick<Run, 'status'>): boolean {
  return ENDS.includes(run.status)
}

/** Return queued → preparing → running → finishing → end, each with the times that are known. */
export function phasesOf(run: Run): Phase[] {
  const starts: (string | null)[] = [run.created_at, run.admitted_at, run.started_at, null]
  const over = ended(run)
  const now = placeOf(run)
  const middle = PHASES.map((name, n): Phase => {
    const from = n === now && n === 3 ? run.status_since : (starts[n] ?? null)
    const next = starts.slice(n + 1).find((at) => at !== null) ?? null
    if (over)
      return {
        name,
        state: from === null && n > 0 && n < 3 ? 'ahead' : 'done',
        from,
        to: next ?? (from ? run.finished_at : null),
      }
    if (n < now) return { name, state: 'done', from, to: next ?? run.status_since }
    if (n === now)
      return {
        name: run.status === 'waiting' ? 'waiting' : name,
        state: 'current',
        from: run.status === 'waiting' ? run.status_since : from,
        to: null,
      }
    return { name, state: 'ahead', from: null, to: null }
  })
  const state = !over ? 'ahead' : run.status === 'succeeded' ? 'done' : 'failed'
  for (const phase of middle) if (phase.name === 'running') phase.stood = stoodIn(phase, run.active_seconds)
  return [...middle, { name: over ? run.status : 'end', state, from: run.finished_at, to: run.finished_at }]
}

/** A long wait is not shown as work: return what of a past phase was none. */
function stoodIn(phase: Phase, active: number): number | undefined {
  if (!phase.from || !phase.to) return undefined
  const stood = Math.round((Date.parse(phase.to) - Date.parse(phase.from)) / 1000 - active)
  return stood >= LONG_PAUSE ? stood : undefined
}

function placeOf(run: Run): number {
  if (run.status === 'waiting') return run.started_at ? 2 : 0
  if (run.status === 'cancelling') return run.started_at ? 2 : run.admitted_at ? 1 : 0
  const place = PHASES.indexOf(run.status as (typeof PHASES)[number])
  return place === -1 ? 0 : place
}

export interface Sentence {
  key: string
  params: Record<string, string>
  since: string | null
  until: string | null
}

/** Say in one sentence what the run does, or what it waits for and who can act. */
export function sentenceOf(run: Run): Sentence {
  const none = { params: {}, since: run.status_since, until: null }
  const wait: WaitFrame | null = run.status === 'waiting' ? run.wait : null
  if (wait) {
    const params = { target: wait.target.id, who: wait.who_can_act }
    return {
      key: `runs.now.${wait.kind}`,
      params,
      since: wait.opened_at,
      until: wait.resume_at ?? wait.deadline_at,
    }
  }
  if (run.status === 'queued' && run.admission_reason) {
    return { ...none, key: 'runs.now.queued_because', params: { reason: run.admission_reason } }
  }
  if (run.status === 'failed')
    return { ...none, key: 'runs.now.failed', params: { code: run.code ?? run.failure_class ?? '' } }
  return { ...none, key: `runs.now.${run.status}` }
}
