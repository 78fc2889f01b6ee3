// What the track and the lists of an issue's way show. Pure.
import type { Lineage, LineageRun, LineageStage, LineageStep } from '@/shared/api/types'
import type { Step } from '@/shared/ui/steps'

const STATES: Record<LineageStage['state'], Step['state']> = {
  done: 'done',
  current: 'current',
  stopped: 'failed',
  next: 'next',
  later: 'ahead',
  passed_over: 'skipped',
  skipped: 'skipped',
}

/** Return the steps of the track; what comes next but may not start is blocked. */
export function stepsOf(way: Lineage): Step[] {
  const blocked = way.blocked_by.length > 0
  return way.track.map((stage) => ({
    name: stage.stage,
    word: stage.name,
    state: stage.state === 'next' && blocked ? 'blocked' : (STATES[stage.state] ?? 'ahead'),
    here: stage.stage === hereOf(way),
    from: stage.started_at,
    until: stage.finished_at,
    to: stage.runs.length > 0 ? { hash: `#stage-${stage.stage}` } : null,
  }))
}

/** Where the issue stands: at the stage that is worked on, else at the one that is wanted. */
function hereOf(way: Lineage): string | null {
  return way.track.find((stage) => stage.state === 'current')?.stage ?? way.wanted_stage
}

/** Return the stages that have something to show, and the wanted one, which says what it should make. */
export function shownStages(way: Lineage): LineageStage[] {
  const full = ({ runs, pulls, documents }: LineageStage) => runs.length + pulls.length + documents.length > 0
  return way.track.filter((stage) => full(stage) || stage.stage === way.wanted_stage)
}

/** Newest first, as everywhere. */
export const newestFirst = (runs: readonly LineageRun[]) =>
  [...runs].sort((a, b) => (a.created_at < b.created_at ? 1 : -1))

/** What is recommended comes first; the others keep the server's order. */
export function orderedSteps(steps: readonly LineageStep[]): LineageStep[] {
  return [...steps.filter((step) => step.recommended), ...steps.filter((step) => !step.recommended)]
}
