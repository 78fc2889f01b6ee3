// Who follows which topic: handlers counted per topic, and which topics the server has acknowledged.
import type { Frame, LogChunk, LogNews, Position } from './protocol'

export interface Handler {
  /** Apply changes, in the order of arrival. */
  frames?(list: Frame[]): void
  /** Load by REST: the topic is covered now, or what was missed cannot be sent. */
  gap?(): Promise<unknown> | void
  /** The server does not give this topic. */
  refused?(code: string): void
  /** Logs: how far they are held, a chunk, the newest position while polling. */
  position?(): Position | null
  chunk?(chunk: LogChunk): void
  news?(news: LogNews): void
}

interface Entry {
  handlers: Set<Handler>
  covered: boolean
  refused: string | null
}

const LOG = /^(run|deploy)\.logs:/

export class Topics {
  private entries = new Map<string, Entry>()

  add(topic: string, handler: Handler): Entry {
    const entry = this.entries.get(topic) ?? { handlers: new Set(), covered: false, refused: null }
    this.entries.set(topic, entry)
    entry.handlers.add(handler)
    return entry
  }

  /** Remove a handler and return how many are left. */
  remove(topic: string, handler: Handler): number {
    const entry = this.entries.get(topic)
    entry?.handlers.delete(handler)
    return entry?.handlers.size ?? 0
  }

  forget(topic: string): void {
    this.entries.delete(topic)
  }

  followed(topic: string): boolean {
    return this.entries.has(topic)
  }

  covered(topic: string): boolean {
    return this.entries.get(topic)?.covered ?? false
  }

  names(): string[] {
    return [...this.entries.keys()]
  }

  positions(topics: string[]): Record<string, Position> {
    const found: Record<string, Position> = {}
    for (const topic of topics) {
      for (const handler of this.entries.get(topic)?.handlers ?? []) {
        const position = handler.position?.()
        if (position) found[topic] = position
      }
    }
    return found
  }

  /** Mark topics as covered and start the loads of those that were not; `only` loads for one new handler. */
  cover(topics: string[], only?: Handler): Promise<unknown>[] {
    const fresh = topics.filter(
      (topic) => this.entries.has(topic) && (only !== undefined || !this.covered(topic)),
    )
    for (const topic of fresh) {
      const entry = this.entries.get(topic)
      if (entry) [entry.covered, entry.refused] = [true, null]
    }
    return this.reload(fresh, only)
  }

  reload(topics: string[], only?: Handler): Promise<unknown>[] {
    return topics
      .flatMap((topic) => [...(this.entries.get(topic)?.handlers ?? [])])
      .filter((handler) => only === undefined || handler === only)
      .map((handler) => Promise.resolve(handler.gap?.()).catch(() => undefined))
  }

  /** A log is not under the cursor: after a drop its position is told anew. */
  uncoverLogs(): void {
    for (const [topic, entry] of this.entries) if (LOG.test(topic)) entry.covered = false
  }

  deliver(topic: string, frames: Frame[]): void {
    for (const handler of this.entries.get(topic)?.handlers ?? []) handler.frames?.(frames)
  }

  chunk(chunk: LogChunk): void {
    for (const handler of this.entries.get(chunk.topic)?.handlers ?? []) handler.chunk?.(chunk)
  }

  news(topic: string, news: LogNews): void {
    for (const handler of this.entries.get(topic)?.handlers ?? []) handler.news?.(news)
  }

  refuse(topic: string, code: string): void {
    const entry = this.entries.get(topic)
    if (entry === undefined) return
    ;[entry.covered, entry.refused] = [false, code]
    for (const handler of entry.handlers) handler.refused?.(code)
  }

  /** One topic failed: a log is read by REST, anything else is refused. The connection lives on. */
  fail(topic: string, code: string): void {
    if (LOG.test(topic) && (code === 'log_gap' || code === 'log_lag')) this.reload([topic])
    else this.refuse(topic, code)
  }
}
