// Where a log opens: at the end when live, at the first error when failed, at the top otherwise (console.md §7.1).
import type { LogSource } from './source'

/** Words that compilers, test runners and shells begin their errors with. */
const ERROR = String.raw`(?<!\b(?:0|no) )\b(?:errors?|fatal|failed|failures?|exception|traceback|panic)\b|ошибка`

/** Return the first line that tells of an error; without one the last line, where a failed program stopped. */
export async function firstError(source: LogSource, signal?: AbortSignal): Promise<number> {
  const [hit] = await source.search(ERROR, { regex: true, limit: 1, signal })
  return hit?.line ?? Math.max(0, source.lines - 1)
}

export interface Opened {
  live: boolean
  failed: boolean
  /** A link to lines was opened: they are shown. */
  linked: boolean
  /** The person's choice for live logs. */
  follows: boolean
}

/** Say how to open. */
export function openingOf({ live, failed, linked, follows }: Opened): 'link' | 'end' | 'error' | 'top' {
  if (linked) return 'link'
  if (live) return follows ? 'end' : 'top'
  return failed ? 'error' : 'top'
}
