// The stages of an issue by its profile's path, with what became of each. Pure.
import type { Run } from '@/shared/api/types'

export interface Stage {
  name: string
  state: 'done' | 'current' | 'ahead' | 'failed'
  runId: string | null
}

const OVER = ['failed', 'cancelled']

/** Return the stages of the run's profile, and the ones that ran beside it. */
export function stagesOf(policy: Record<string, unknown>, runs: readonly Run[], shown: Run): Stage[] {
  const newest = new Map<string, Run>()
  for (const run of [...runs].sort((a, b) => (a.created_at ?? '').localeCompare(b.created_at ?? ''))) {
    if (run.stage) newest.set(run.stage, run)
  }
  if (shown.stage && !newest.has(shown.stage)) newest.set(shown.stage, shown)
  const path = pathOf(policy, shown.launch_profile)
  const names = [...path, ...[...newest.keys()].filter((name) => !path.includes(name))]
  return names.map((name) => ({
    name,
    state: stateOf(newest.get(name)),
    runId: newest.get(name)?.id ?? null,
  }))
}

function pathOf(policy: Record<string, unknown>, profile: string | null): string[] {
  const profiles = policy.profiles as { default?: string; paths?: Record<string, string[]> } | undefined
  return profiles?.paths?.[profile ?? profiles.default ?? ''] ?? []
}

function stateOf(run: Run | undefined): Stage['state'] {
  if (run === undefined) return 'ahead'
  if (run.status === 'succeeded') return 'done'
  return OVER.includes(run.status) ? 'failed' : 'current'
}
