// Only the lines around the hits of a search, as a log of its own that knows the real numbers.
import type { Hit, LogSource, SearchOptions } from './source'

const AROUND = 3

/** Return the lines within `around` of a hit, in order, each once. */
export function linesAround(hits: readonly Hit[], lines: number, around = AROUND): number[] {
  const kept: number[] = []
  for (const { line } of hits) {
    const last = kept[kept.length - 1] ?? -1
    for (let i = Math.max(0, line - around, last + 1); i <= Math.min(lines - 1, line + around); i++)
      kept.push(i)
  }
  return kept
}

export class FilteredLog implements LogSource {
  onChange: () => void = () => undefined
  private kept: number[]

  constructor(
    private whole: LogSource,
    hits: readonly Hit[],
    around = AROUND,
  ) {
    this.kept = linesAround(hits, whole.lines, around)
  }

  get lines(): number {
    return this.kept.length
  }

  get bytes(): number {
    return this.whole.bytes
  }

  line(i: number): string | null {
    return this.whole.line(this.origin(i))
  }

  get begunAt(): number | null {
    return this.whole.begunAt
  }

  get lastAt(): number | null {
    return this.whole.lastAt
  }

  timeOf(i: number): number | null {
    return this.whole.timeOf(this.origin(i))
  }

  async *texts(): AsyncGenerator<string> {
    for (let i = 0; i < this.lines; i++) yield `${this.line(i) ?? ''}\n`
  }

  /** Return the number in the whole log of row `i`. */
  origin(i: number): number {
    return this.kept[i] ?? 0
  }

  /** Return the row that shows line `line`, or the next one after it. */
  rowOf(line: number): number {
    let [low, high] = [0, Math.max(0, this.kept.length - 1)]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.kept[middle]! < line) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Say whether lines are left out directly before row `i`. */
  cut(i: number): boolean {
    return i > 0 && this.origin(i) !== this.origin(i - 1) + 1
  }

  search(query: string, options?: SearchOptions): Promise<Hit[]> {
    return this.whole.search(query, options)
  }
}
