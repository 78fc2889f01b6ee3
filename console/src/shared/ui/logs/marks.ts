// Cuts the pieces of a painted line where the search hits it. Pure.
import type { Piece } from './ansi'
import { matcher } from './source'

export interface Marked extends Piece {
  hit: boolean
}

/** Mark every place of `query` in the line that `parts` make. */
export function marked(parts: Piece[], query: string, regex: boolean): Marked[] {
  if (query === '') return parts.map((part) => ({ ...part, hit: false }))
  const spans = places(parts.map((part) => part.text).join(''), query, regex)
  const found: Marked[] = []
  let at = 0
  for (const part of parts) {
    let from = at
    const end = at + part.text.length
    for (const span of spans) {
      const [start, stop] = [Math.max(span.from, from), Math.min(span.to, end)]
      if (start >= stop) continue
      if (start > from) found.push(slice(part, at, from, start, false))
      found.push(slice(part, at, start, stop, true))
      from = stop
    }
    if (from < end || part.text === '') found.push(slice(part, at, from, end, false))
    at = end
  }
  return found
}

function slice(part: Piece, at: number, from: number, to: number, hit: boolean): Marked {
  return { ...part, text: part.text.slice(from - at, to - at), hit }
}

function places(text: string, query: string, regex: boolean): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = []
  let find: ReturnType<typeof matcher>
  try {
    find = matcher(query, regex)
  } catch {
    return spans
  }
  for (let from = 0; from <= text.length;) {
    const hit = find(text.slice(from))
    if (hit === null) break
    spans.push({ from: from + hit.from, to: from + hit.to })
    from += Math.max(hit.to, hit.from + 1)
  }
  return spans
}
