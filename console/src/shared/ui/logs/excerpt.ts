// Pieces of a log for reading elsewhere: plain lines, a Markdown block with its link, a line of JSON unfolded.
import { plain } from './ansi'
import type { LogSource } from './source'

const MOST = 100_000

/** Return lines `from`..`to` without escape codes. */
export function excerpt(source: LogSource, [from, to]: [number, number]): string {
  const count = Math.min(MOST, to - from + 1)
  return Array.from({ length: Math.max(0, count) }, (_, n) => plain(source.line(from + n) ?? '')).join('\n')
}

/** Return the name of a range of lines: `L5`, `L5-L9`. */
export function placeName([from, to]: [number, number]): string {
  return from === to ? `L${from + 1}` : `L${from + 1}-L${to + 1}`
}

/** Return a Markdown block of the lines under a link to them; the fence is longer than any in the text. */
export function markdown(text: string, title: string, link: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((found) => found[0].length))
  const fence = '`'.repeat(longest + 1)
  return `[${title}](${link})\n\n${fence}text\n${text}\n${fence}\n`
}

/** Return the JSON in a line, indented, or null when the line holds no object or list. */
export function unfolded(line: string): string | null {
  const text = plain(line)
  const from = text.search(/[[{]/)
  if (from === -1) return null
  try {
    const value: unknown = JSON.parse(text.slice(from))
    if (value === null || typeof value !== 'object') return null
    return `${text.slice(0, from)}${JSON.stringify(value, null, 2)}`
  } catch {
    return null
  }
}
