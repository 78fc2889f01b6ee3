// Frames between the wire and the screen: repeats are dropped, the rest is handed over once per painted frame.
import type { Frame } from './protocol'

const REMEMBERED = 4096
const QUIET = 100

interface Outside {
  now(): number
  nextFrame(flush: () => void): void
}

export class Backlog {
  onCursor: (cursor: string) => void = () => undefined
  onEmpty: () => void = () => undefined
  private waiting = new Map<string, Frame[]>()
  private cursor: string | null = null
  private seen = new Set<string>()
  private ring: string[] = []
  private place = 0
  private scheduled = false
  private lastAt = Number.NEGATIVE_INFINITY

  constructor(
    private outside: Outside,
    private deliver: (topic: string, frames: Frame[]) => void,
  ) {}

  /** Keep new frames; `cursor` becomes the one to resume from after they are handed over. */
  add(frames: Frame[], cursor: string | null | undefined): void {
    for (const frame of frames) if (this.isNew(`${frame.topic} ${frame.id}`)) this.keep(frame)
    if (cursor) this.cursor = cursor
    const now = this.outside.now()
    const quiet = now - this.lastAt >= QUIET
    if (frames.length > 0) this.lastAt = now
    if (quiet && !this.scheduled) this.flush()
    else this.schedule()
  }

  /** Hand over everything that waits, one call per topic. */
  flush(): void {
    const waiting = this.waiting
    this.waiting = new Map()
    for (const [topic, frames] of waiting) this.deliver(topic, frames)
    if (this.cursor === null) return
    this.onCursor(this.cursor)
    this.cursor = null
    this.onEmpty()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.outside.nextFrame(() => {
      this.scheduled = false
      this.flush()
    })
  }

  private keep(frame: Frame): void {
    const held = this.waiting.get(frame.topic)
    if (held) held.push(frame)
    else this.waiting.set(frame.topic, [frame])
  }

  private isNew(id: string): boolean {
    if (this.seen.has(id)) return false
    const old = this.ring[this.place]
    if (old !== undefined) this.seen.delete(old)
    this.ring[this.place] = id
    this.place = (this.place + 1) % REMEMBERED
    this.seen.add(id)
    return true
  }
}
