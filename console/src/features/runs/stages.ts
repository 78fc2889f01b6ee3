// The stages of an issue by its profile's path, with what became of each. Pure.
import type { Run } from '@/shared/api/types'
import type { Step } from '@/shared/ui/steps'

export interface Stage {
  name: string
  state: Step['state']
  run: Run | null
}

const OVER = ['failed', 'cancelled']

/** Return the stages of the longest path and the ones that ran beside it, each with its newest run. */
export function stagesOf(policy: Record<string, unknown>, runs: readonly Run[], shown: Run): Stage[] {
  const newest = new Map<string, Run>()
  for (const run of [...runs].sort((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? ''))) {
    if (run.stage) newest.set(run.stage, run)
  }
  if (shown.stage && !newest.has(shown.stage)) newest.set(shown.stage, shown)
  const { path, all } = pathsOf(policy, shown.launch_profile)
  const names = [...all, ...[...newest.keys()].filter((name) => !all.includes(name))]
  const stages = names.map((name): Stage => {
    const run = newest.get(name) ?? null
    return { name, state: run || path.includes(name) ? stateOf(run) : 'skipped', run }
  })
  const next = nextOf(stages, path)
  return stages.map((stage) => (stage === next ? { ...stage, state: 'next' } : stage))
}

interface Profiles {
  default?: string
  paths?: Record<string, string[]>
}

/** The stages that the profile has, and those of the longest profile, which has them all in their order. */
function pathsOf(policy: Record<string, unknown>, profile: string | null) {
  const { paths = {}, default: usual = '' } = (policy.profiles ?? {}) as Profiles
  const path = paths[profile ?? usual] ?? []
  const all = Object.values(paths).reduce(
    (longest, one) => (one.length > longest.length ? one : longest),
    path,
  )
  return { path, all: path.length > 0 ? all : path }
}

/** Return what comes after the last stage of the path that ran: nothing while one is at work or failed. */
function nextOf(stages: readonly Stage[], path: readonly string[]): Stage | undefined {
  const last = stages.findLastIndex((stage) => stage.run !== null && path.includes(stage.name))
  if (stages.some((stage) => stage.state === 'current') || stages[last]?.state === 'failed') return undefined
  return stages.find((stage, n) => n > last && stage.state === 'ahead')
}

function stateOf(run: Run | null): Step['state'] {
  if (run === null) return 'ahead'
  if (run.status === 'succeeded') return 'done'
  return OVER.includes(run.status) ? 'failed' : 'current'
}
