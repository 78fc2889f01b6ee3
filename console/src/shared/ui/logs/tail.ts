// Keeps one attempt's stream complete: bytes by REST up to a position, then chunks; a hole is read by REST.
import type { LogChunk, LogEnd, LogNews, Position } from '../../realtime/protocol'
import type { LogStore } from './store'
import type { Mark } from './times'

const RANGE = 1 << 20

/** Reads when the chunks from a byte on were written, and where to read on. */
export type ReadTimes = (from: number) => Promise<{ times: Mark[]; next: number }>

export interface Hole {
  from: number
  to: number
  line: number
}

export class LogTail {
  /** Bytes held without a hole. */
  held = 0
  seq = 0
  end: LogEnd | null = null
  hole: Hole | null = null
  heardAt = 0
  onChange: () => void = () => undefined
  private work: Promise<void> = Promise.resolve()
  private readTimes: ReadTimes | null = null
  /** Times are known up to this byte. */
  private timed = 0
  private learning = false

  constructor(
    readonly attempt: number,
    readonly store: LogStore,
    private read: (from: number, to: number) => Promise<Uint8Array>,
    private now: () => number = Date.now,
  ) {}

  get position(): Position {
    return { attempt: this.attempt, stream_seq: this.seq }
  }

  /** The stream is closed and everything of it is here. */
  get complete(): boolean {
    return this.end !== null && this.held === this.end.bytes
  }

  /** Read up to a known position. */
  reach(bytes: number, seq: number, end: LogEnd | null = null): Promise<void> {
    return this.queue(async () => {
      await this.readTo(bytes)
      if (this.held >= bytes) this.seq = Math.max(this.seq, seq)
      if (end !== null) this.end = end
    })
  }

  /** Learn when the lines were written, now and whenever more of them is read; null: no more. */
  timesFrom(read: ReadTimes | null): Promise<void> {
    this.readTimes = read
    return this.learn()
  }

  /** Take a chunk of the feed: a repeat is dropped, an overlap cut, a hole read first. */
  take(chunk: LogChunk): Promise<void> {
    return this.queue(async () => {
      if (chunk.attempt !== this.attempt) return
      if (chunk.from_byte > this.held) await this.readTo(chunk.from_byte)
      const known = this.held - chunk.from_byte
      this.noteTime(chunk)
      if (known >= 0 && known < chunk.bytes.length) this.add(chunk.bytes.subarray(known))
      if (known >= 0) this.seq = Math.max(this.seq, chunk.stream_seq)
      if (chunk.eof) {
        this.end = { ...chunk.eof, at: chunk.at }
        await this.readTo(chunk.eof.bytes)
      }
    })
  }

  /** Take what polling says. */
  news(news: LogNews): Promise<void> {
    if (news.attempt !== this.attempt) return Promise.resolve()
    return this.reach(news.bytes, news.stream_seq, news.eof ?? null)
  }

  /** Try to read the hole again. */
  retry(): Promise<void> {
    const to = this.hole?.to ?? this.held
    return this.queue(() => this.readTo(to))
  }

  private async readTo(to: number): Promise<void> {
    try {
      let coming = this.ask(this.held, to)
      while (coming !== null) {
        const asked = coming
        coming = this.ask(asked.until, to) // on its way while this one is taken in
        const bytes = await asked.bytes
        if (bytes.length === 0) break
        this.add(bytes)
        if (this.held !== asked.until) coming = this.ask(this.held, to) // a short answer
      }
      this.hole = this.held < to ? { from: this.held, to, line: this.store.lines } : null
    } catch {
      this.hole = { from: this.held, to, line: this.store.lines }
    }
    this.onChange()
    void this.learn()
  }

  private ask(from: number, to: number): { until: number; bytes: Promise<Uint8Array> } | null {
    if (from >= to) return null
    const until = Math.min(to, from + RANGE)
    const bytes = this.read(from, until)
    bytes.catch(() => undefined) // whoever awaits it hears of it; nobody may, after a short or failed answer
    return { until, bytes }
  }

  private noteTime(chunk: LogChunk): void {
    if (chunk.at === undefined || chunk.bytes.length === 0) return
    this.store.times.note({ from_line: chunk.from_line, at: chunk.at })
    if (chunk.from_byte <= this.timed) this.timed = Math.max(this.timed, chunk.from_byte + chunk.bytes.length)
  }

  /** Read the times of what is held. What cannot be read now is read with the next bytes. */
  private async learn(): Promise<void> {
    if (this.learning) return
    this.learning = true
    try {
      while (this.readTimes !== null && this.timed < this.held) {
        const { times, next } = await this.readTimes(this.timed)
        for (const mark of times) this.store.times.note(mark)
        if (next <= this.timed) break
        this.timed = next
      }
    } catch {
      // Times are an aid: the log stands without them.
    } finally {
      this.learning = false
      this.onChange()
    }
  }

  private add(bytes: Uint8Array): void {
    this.store.append(bytes)
    this.held += bytes.length
    this.heardAt = this.now()
    this.onChange()
  }

  private queue(act: () => Promise<void>): Promise<void> {
    this.work = this.work.then(act).then(() => this.onChange())
    return this.work
  }
}
