// What the viewer needs of a log, however it is held.
export interface Hit {
  line: number
  /** Columns in UTF-16 units; `to` is exclusive. */
  from: number
  to: number
}

export interface SearchOptions {
  regex?: boolean
  limit?: number
  signal?: AbortSignal
}

export interface LogSource {
  /** Lines known, the provisional last one included. */
  readonly lines: number
  readonly bytes: number
  /** Text of line `i` (from 0); null while its bytes are being loaded. */
  line(i: number): string | null
  search(query: string, options?: SearchOptions): Promise<Hit[]>
  /** Called (at most once a frame is up to the caller) when lines were added or loaded. */
  onChange: () => void
}

/** Fold text for searching: lower case, ё like е. */
export function fold(text: string): string {
  return text.toLowerCase().replaceAll('ё', 'е')
}

/** Make the test for a query; throws for a broken regular expression. */
export function matcher(
  query: string,
  regex: boolean,
): (text: string) => { from: number; to: number } | null {
  if (regex) {
    const pattern = new RegExp(query, 'iu')
    return (text) => {
      const found = pattern.exec(text)
      return found ? { from: found.index, to: found.index + Math.max(1, found[0].length) } : null
    }
  }
  const wanted = fold(query)
  return (text) => {
    const folded = fold(text)
    const at = folded.indexOf(wanted)
    if (at === -1) return null
    if (folded.length !== text.length) return { from: 0, to: text.length }
    return { from: at, to: at + wanted.length }
  }
}
