// Where a log opens: at the end when live, at the first error when failed, at the top otherwise (console.md §7.1).
import type { LogSource } from './source'

/** Words that compilers, test runners and shells begin their errors with. */
const ERROR = String.raw`(?<!\b(?:0|no) )\b(?:errors?|fatal|failed|failures?|exception|traceback|panic)\b|ошибка`

/** What every text with such a word fits, quickly. */
const HINT = 'error|fatal|fail|exception|traceback|panic|ошибка'

/** Return at most `limit` lines from `from` on that tell of an error. */
export async function errorLines(
  source: LogSource,
  from = 0,
  limit = 1,
  signal?: AbortSignal,
): Promise<number[]> {
  const hits = await source.search(ERROR, { regex: true, gate: HINT, limit, from, signal })
  return hits.map((hit) => hit.line)
}

/** Return the first line that tells of an error; without one the last line, where a failed program stopped. */
export async function firstError(source: LogSource, signal?: AbortSignal): Promise<number> {
  const [line] = await errorLines(source, 0, 1, signal)
  return line ?? Math.max(0, source.lines - 1)
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
