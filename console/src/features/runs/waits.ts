// Which waits are shown in which group and order. Pure.
import type { Wait } from '@/shared/api/types'

export const GROUPS = ['tool', 'review', 'pressure'] as const
const GROUP: Record<string, (typeof GROUPS)[number]> = {
  approval: 'tool',
  question: 'tool',
  owner_review: 'review',
  rate_limit: 'pressure',
  budget: 'pressure',
}

/** Return the groups that hold something, each with its waits. */
export function grouped<W extends Wait>(waits: readonly W[]): { name: string; waits: W[] }[] {
  return GROUPS.map((name) => ({
    name,
    waits: waits.filter((wait) => (GROUP[wait.kind] ?? 'tool') === name),
  })).filter((group) => group.waits.length > 0)
}

/** Oldest first: what waits longest is on top. */
export function bySince(a: Wait, b: Wait): number {
  return a.opened_at === b.opened_at ? (a.id < b.id ? -1 : 1) : a.opened_at < b.opened_at ? -1 : 1
}
