// How the items of the inbox are named and what each opens. Pure.
import type { InboxItem } from '@/shared/api/types'
import { actOf, type AskedWait } from '@/shared/ui/waits/asked'

export type Target = { name: string; params?: Record<string, string> } | { href: string } | null

const WAIT_FOR = 'wait.target.'
/** What a person decides as an approval. */
const DECIDED = ['run.start', 'result.publish']

/** Return the code of what a wait is about; null: the item is no wait. */
export function subjectOf(item: InboxItem): string | null {
  return item.why?.startsWith(WAIT_FOR) ? item.why.slice(WAIT_FOR.length) : null
}

/** Return where an item is dealt with. */
export function targetOf(item: InboxItem): Target {
  if (item.incident_id) return { name: 'error', params: { id: item.incident_id } }
  if (DECIDED.includes(subjectOf(item) ?? '') && typeof item.params.target === 'string')
    return { name: 'approval', params: { id: item.params.target } }
  if (item.kind === 'review' && item.url) return { href: item.url }
  if (item.run_id) return { name: 'run', params: { id: item.run_id } }
  return item.url ? { href: item.url } : null
}

/** Return the wait that is answered here; null: the item is none, or is answered elsewhere. */
export function askedBy(item: InboxItem): AskedWait | null {
  if (!item.wait_id || actOf(item) === null) return null
  const question = typeof item.params.question === 'string' ? item.params.question : null
  return { id: item.wait_id, run_number: item.run_number ?? '', question, answers: item.answers }
}

/** Say what an item is about in the forge's words: `owner/repo#12`. */
export function threadOf(item: InboxItem): string {
  const number = item.issue_number ?? item.pr_number
  return [item.repository ?? item.project, number === null ? null : `#${number}`].filter(Boolean).join('')
}

/** Say why, as a key of our words with its parameters, or as the plain code. */
export function whyOf(item: InboxItem): { key: string; params: Record<string, string> } | string | null {
  if (item.why === null || item.why.startsWith(WAIT_FOR)) return null
  if (item.why.startsWith('stage.'))
    return { key: 'inbox.stage', params: { stage: item.why.slice('stage.'.length) } }
  return item.why
}

/** Keep what belongs into the view: with `snoozed` what is put off, else what is not. */
export function shownItems(items: readonly InboxItem[], snoozed: boolean): InboxItem[] {
  return items.filter((item) => (item.snoozed_until !== null) === snoozed)
}

const HOUR = 3_600_000

/** Return the times until which an item may be put off. */
export function snoozes(now: number): { key: string; until: string }[] {
  const at = (hours: number) => new Date(now + hours * HOUR).toISOString()
  return [
    { key: 'hour', until: at(1) },
    { key: 'day', until: at(24) },
    { key: 'week', until: at(24 * 7) },
  ]
}
