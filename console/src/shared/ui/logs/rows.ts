// What stands in the painted rows of a log. Parsed lines are remembered: scrolling paints the same ones again.
import { pieces, plain, shortened, type Piece } from './ansi'
import { unfolded } from './excerpt'
import { FilteredLog } from './filtered'
import { linked } from './links'
import { marked, type Marked } from './marks'
import { ROW, type Window } from './scroll'
import type { LogSource } from './source'

const CUT = 8192
const MOST_PARSED = 2000
const LONGEST_JSON = 65_536

export interface Row {
  i: number
  /** Its number in the whole log. */
  line: number
  /** Lines are left out before it. */
  cutBefore: boolean
  parts: Marked[]
  /** Its whole size where it is cut, else 0. */
  cut: number
  json: boolean
  at: number | null
}

interface Parsed {
  parts: Piece[]
  json: boolean
}

export class Rows {
  private parsed = new Map<string, Parsed>()

  /** Return row `i`; `whole`: rows shown in full, however long. */
  row(
    source: LogSource,
    i: number,
    { query, regex, whole }: { query: string; regex: boolean; whole: Set<number> },
  ): Row {
    const part = source instanceof FilteredLog ? source : null
    const place = { i, line: part?.origin(i) ?? i, cutBefore: part?.cut(i) ?? false, at: source.timeOf(i) }
    const text = source.line(i)
    if (text === null)
      return { ...place, parts: [{ text: '…', classes: 'sw-dim', hit: false }], cut: 0, json: false }
    const long = text.length > CUT && !whole.has(i)
    const { parts, json } = this.parse(long ? shortened(text, CUT) : text, text)
    return { ...place, parts: marked(parts, query, regex), cut: long ? text.length : 0, json }
  }

  private parse(shown: string, text: string): Parsed {
    const known = this.parsed.get(shown)
    if (known) return known
    const made = { parts: linked(pieces(shown)), json: text.length <= LONGEST_JSON && isJson(text) }
    if (this.parsed.size >= MOST_PARSED) this.parsed.clear()
    this.parsed.set(shown, made)
    return made
  }
}

function isJson(text: string): boolean {
  return /[}\]]\s*$/.test(plain(text)) && unfolded(text) !== null
}

/** Return the rows to paint: those in the window, and aside those that must stay in the document; in order. */
export function shownRows({ first, count }: Window, pins: readonly number[], lines: number): number[] {
  const aside = pins.filter((i) => (i < first || i >= first + count) && i < lines)
  const inside = Array.from({ length: count }, (_, n) => first + n)
  return [...inside, ...aside].sort((a, b) => a - b)
}

/** How far aside a row may stand: browsers do not lay out more. */
const FAR = 100_000

/** Return the style of a row outside the window: where it would be, out of the flow; null for the others. */
export function asidePlace(
  i: number,
  { first, count }: Window,
  height = ROW,
): { position: 'absolute'; top: string } | null {
  if (i >= first && i < first + count) return null
  const top = Math.max(-FAR, Math.min(FAR, (i - first) * height))
  return { position: 'absolute', top: `${top}px` }
}
