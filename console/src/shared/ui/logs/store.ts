// A log in memory: chunks of bytes and two index arrays, never one string per line (console.md §9.3).
import { matcher, type Hit, type LogSource, type SearchOptions } from './source'
import { LogTimes } from './times'

const CHUNK = 1 << 20
const ROOM = 64 << 10
const LF = 10
const CR = 13
export const HOLD = 64_000_000

export interface Chunk {
  /** Null when the bytes were given back; they can be read again by their place. */
  data: Uint8Array | null
  used: number
  firstLine: number
  /** Place of the chunk's first byte in the log. */
  at: number
  size: number
}

const decoder = new TextDecoder()

export class LogStore implements LogSource {
  onChange: () => void = () => undefined
  /** When its chunks were written. */
  readonly times = new LogTimes()
  protected chunks: Chunk[] = []
  protected start = new Uint32Array(1024)
  protected end = new Uint32Array(1024)
  protected count = 0
  private tail = new Uint8Array()
  private total = 0

  get lines(): number {
    return this.count + (this.tail.length > 0 ? 1 : 0)
  }

  get bytes(): number {
    return this.total
  }

  get begunAt(): number | null {
    return this.times.first
  }

  get lastAt(): number | null {
    return this.times.last
  }

  timeOf(i: number): number | null {
    return this.times.of(i)
  }

  /** Add bytes in the order of the log; they may end anywhere, also inside a character. */
  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.total += bytes.length
    const all = this.tail.length > 0 ? join(this.tail, bytes) : bytes
    const last = all.lastIndexOf(LF)
    const whole = all.subarray(0, last + 1)
    const at = this.total - all.length
    this.tail = all.slice(last + 1)
    for (let from = 0; from < whole.length;) from = this.place(whole, from, at + from)
    this.onChange()
  }

  line(i: number): string | null {
    if (i === this.count && this.tail.length > 0) return decoder.decode(this.tail)
    if (i < 0 || i >= this.count) return ''
    const chunk = this.chunks[this.chunkOf(i)]!
    const data = this.read(chunk)
    return data === null ? null : decoder.decode(data.subarray(this.start[i], this.end[i]))
  }

  async *texts(signal?: AbortSignal): AsyncGenerator<string> {
    for (let c = 0; c < this.chunks.length && !signal?.aborted; c++) {
      const chunk = this.chunks[c]!
      const data = chunk.data ?? (await this.fetchFor(chunk, signal))
      if (data !== null) yield decoder.decode(data.subarray(0, chunk.used))
      await pause()
    }
    if (this.tail.length > 0) yield `${decoder.decode(this.tail)}\n`
  }

  async search(query: string, options: SearchOptions = {}): Promise<Hit[]> {
    const { regex = false, limit = 10_000, from = 0, signal } = options
    const find = matcher(query, regex)
    const gate = options.gate ? matcher(options.gate, true) : regex ? null : find
    const hits: Hit[] = []
    for (let c = this.chunks.length > 0 ? this.chunkOf(from) : 0; c < this.chunks.length; c++) {
      if (hits.length >= limit || signal?.aborted) break
      const chunk = this.chunks[c]!
      const data = chunk.data ?? (await this.fetchFor(chunk, signal))
      const passes =
        data !== null && (gate === null || gate(decoder.decode(data.subarray(0, chunk.used))) !== null)
      if (passes) this.searchChunk(data, [Math.max(from, chunk.firstLine), this.endOf(c)], find, hits, limit)
      await pause()
    }
    const found =
      this.tail.length > 0 && hits.length < limit && !signal?.aborted ? find(decoder.decode(this.tail)) : null
    if (found) hits.push({ line: this.count, ...found })
    return hits
  }

  /** Bytes of a chunk, or null when they must be loaded first. */
  protected read(chunk: Chunk): Uint8Array | null {
    return chunk.data
  }

  protected async fetchFor(chunk: Chunk, signal?: AbortSignal): Promise<Uint8Array | null> {
    return signal?.aborted ? null : chunk.data
  }

  /** Called after a chunk grew. */
  protected grew(chunk: Chunk): void {
    chunk.size = chunk.used
  }

  private searchChunk(
    data: Uint8Array,
    [first, end]: [number, number],
    find: (text: string) => { from: number; to: number } | null,
    hits: Hit[],
    limit: number,
  ): void {
    for (let i = first; i < end && hits.length < limit; i++) {
      const found = find(decoder.decode(data.subarray(this.start[i], this.end[i])))
      if (found) hits.push({ line: i, ...found })
    }
  }

  /** The line after the last of chunk `c`. */
  private endOf(c: number): number {
    return this.chunks[c + 1]?.firstLine ?? this.count
  }

  private place(whole: Uint8Array, from: number, at: number): number {
    let chunk = this.chunks[this.chunks.length - 1]
    let room = chunk?.data ? chunk.data.length - chunk.used : 0
    if (chunk === undefined || room <= ROOM || whole.indexOf(LF, from) - from + 1 > room) {
      const size = Math.max(CHUNK, whole.indexOf(LF, from) - from + 1)
      chunk = { data: new Uint8Array(size), used: 0, firstLine: this.count, at, size: 0 }
      this.chunks.push(chunk)
      room = size
    }
    const end = whole.length - from <= room ? whole.length : whole.lastIndexOf(LF, from + room - 1) + 1
    this.copy(chunk, whole.subarray(from, end))
    return end
  }

  private copy(chunk: Chunk, piece: Uint8Array): void {
    const data = chunk.data!
    data.set(piece, chunk.used)
    let from = chunk.used
    const stop = chunk.used + piece.length
    while (from < stop) {
      const lf = data.indexOf(LF, from)
      this.note(from, lf > from && data[lf - 1] === CR ? lf - 1 : lf)
      from = lf + 1
    }
    chunk.used = stop
    this.grew(chunk)
  }

  private note(start: number, end: number): void {
    if (this.count === this.start.length) {
      this.start = doubled(this.start)
      this.end = doubled(this.end)
    }
    this.start[this.count] = start
    this.end[this.count] = end
    this.count += 1
  }

  private chunkOf(line: number): number {
    let [low, high] = [0, this.chunks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.chunks[middle]!.firstLine <= line) low = middle
      else high = middle - 1
    }
    return low
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(array.length * 2)
  next.set(array)
  return next
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}

/** Let the page breathe; a timer would be throttled. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new MessageChannel()
    channel.port1.onmessage = () => {
      channel.port1.close()
      resolve()
    }
    channel.port2.postMessage(0)
  })
}
