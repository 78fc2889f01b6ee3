// What the audit can be filtered by, and what is told of a change. Pure.
import type { AuditEntry } from '@/shared/api/types'

export const FILTERS = [
  'actor',
  'action',
  'object',
  'correlation',
  'channel',
  'project',
  'from',
  'to',
] as const

/** Say whether an entry of this action is news for who looks at the list: that somebody reads it is none. */
export function isNews(action: string, wanted: readonly string[]): boolean {
  return action !== 'audit.read' && (wanted.length === 0 || wanted.includes(action))
}

const TOLD = ['status', 'code', 'reason', 'role', 'name', 'detail', 'email', 'full_name', 'key']

/** Tell the few words of an entry that say what became of its object. */
export function changeOf(row: AuditEntry): string {
  return TOLD.map((name) => (row.data as Record<string, unknown>)[name])
    .filter((value) => typeof value === 'string' && value)
    .join(' · ')
}
