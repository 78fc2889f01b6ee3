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
  /** Look from this line on. */
  from?: number
  /** What every text with a hit fits; parts of the log that do not are not looked at line by line. */
  gate?: string
  signal?: AbortSignal
}

export interface LogSource {
  /** Lines known, the provisional last one included. */
  readonly lines: number
  readonly bytes: number
  /** Text of line `i` (from 0); null while its bytes are being loaded. */
  line(i: number): string | null
  /** When line `i` was written, as the server says (ms); null while that is not known. */
  timeOf(i: number): number | null
  /** When its first line was written. */
  readonly begunAt: number | null
  /** When its newest line was written. */
  readonly lastAt: number | null
  /** All lines in pieces of some size, each ending with a line end; bytes that are not held are read. */
  texts(signal?: AbortSignal): AsyncIterable<string>
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
