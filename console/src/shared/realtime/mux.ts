// One connection per tab for all topics: resumes by an opaque cursor, drops repeats, delivers once per frame, polls when
// no socket can be had. Plain TypeScript; everything from outside comes in by `Outside`, so tests need no browser.
import { Backlog } from './backlog'
import { CLOSED, readChunk, type Frame, type LogChunk, type LogNews, type Message } from './protocol'
import type { PollAnswer, PollForm, Position, Refusal, Resync } from './protocol'
import { Topics, type Handler } from './topics'

export interface SocketLike {
  send(text: string): void
  close(): void
  onopen: (() => void) | null
  onmessage: ((message: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
}

export interface Outside {
  open(): SocketLike
  poll(form: PollForm): Promise<PollAnswer>
  now(): number
  random(): number
  /** Call `flush` before the next paint; once a second when nobody looks. */
  nextFrame(flush: () => void): void
}

export type Link =
  | 'connecting'
  | 'live'
  | 'catching_up'
  | 'polling'
  | 'stale'
  | 'offline'
  | 'signed_out'
  | 'forbidden'
  | 'protocol'
  | 'outdated'

export interface State {
  link: Link
  behind: number
  /** When the last message or answer came, by the client's clock. */
  heardAt: number
  /** Server clock minus client clock. */
  skew: number
  reason: string | null
}

const FIRST_PAUSE = 500
const LONGEST_PAUSE = 15_000
const SILENCE = 30_000
const POLL_EVERY = 5_000
const POLL_AFTER = 3
const UNSUBSCRIBE_AFTER = 5_000
const FINAL: Record<number, Link> = {
  [CLOSED.protocol]: 'protocol',
  [CLOSED.signedOut]: 'signed_out',
  [CLOSED.forbidden]: 'forbidden',
  [CLOSED.outdated]: 'outdated',
}

export class Mux {
  state: State = { link: 'connecting', behind: 0, heardAt: 0, skew: 0, reason: null }
  onState: (state: State) => void = () => undefined
  private topics = new Topics()
  private backlog: Backlog
  private cursor: string | null = null
  private socket: SocketLike | null = null
  private ready = false
  private stopped = true
  private failures = 0
  private requests = 0
  private asked = new Map<number, string[]>()
  private changed = new Set<string>()
  private loads = 0
  private timers = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(private outside: Outside) {
    this.backlog = new Backlog(outside, (topic, frames) => this.topics.deliver(topic, frames))
    this.backlog.onCursor = (cursor) => (this.cursor = cursor)
    this.backlog.onEmpty = () => this.settle()
  }

  start(): void {
    if (!this.stopped) return
    this.stopped = false
    this.set({ link: 'connecting', reason: null })
    this.connect()
  }

  stop(): void {
    this.stopped = true
    for (const timer of this.timers.values()) clearTimeout(timer)
    this.timers.clear()
    this.drop()
  }

  /** Follow a topic; call the answer to stop. The topic leaves the wire 5 s after its last follower. */
  subscribe(topic: string, handler: Handler): () => void {
    const entry = this.topics.add(topic, handler)
    this.cancel(`drop ${topic}`)
    if (entry.covered) this.topics.cover([topic], handler)
    else this.ask(topic)
    return () => {
      if (this.topics.remove(topic, handler) === 0)
        this.after(`drop ${topic}`, UNSUBSCRIBE_AFTER, () => this.leave(topic))
    }
  }

  /** Try again now: the person asked, the network came back, or the page is looked at again. */
  reconnect(): void {
    if (this.stopped || this.ready) return
    this.cancel('reconnect')
    this.drop()
    this.connect()
  }

  /** Say that the browser is off or on the network. */
  online(on: boolean): void {
    if (!on) this.set({ link: 'offline' })
    else {
      this.set({ link: 'connecting' })
      this.reconnect()
    }
  }

  /** End the link because REST said that the session is over. */
  signedOut(): void {
    this.stop()
    this.set({ link: 'signed_out' })
  }

  private connect(): void {
    const socket = this.outside.open()
    this.socket = socket
    socket.onopen = () => this.hello(socket)
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return
      this.heard()
      if (typeof data === 'string') this.take(JSON.parse(data) as Message)
      else this.topics.chunk(readChunk(data as ArrayBuffer))
    }
    socket.onclose = ({ code }) => {
      if (socket === this.socket) this.lost(code)
    }
    this.after('silence', SILENCE, () => this.silent())
  }

  private hello(socket: SocketLike): void {
    this.backlog.flush()
    this.asked.clear()
    const topics = this.topics.names()
    const form = {
      op: 'hello',
      v: 1,
      last_event_id: this.cursor,
      topics,
      logs: this.topics.positions(topics),
    }
    this.changed.clear()
    socket.send(JSON.stringify(form))
  }

  private take(message: Message): void {
    switch (message.op) {
      case 'ready':
        return this.welcome(message)
      case 'ack':
        this.asked.delete(message.n)
        this.refuse(message.refused)
        return this.cover(message.topics)
      case 'events':
        return this.backlog.add(message.frames, message.cursor)
      case 'ping':
        this.set({ skew: Date.parse(message.at) - this.outside.now() })
        return this.backlog.add([], message.cursor)
      case 'resync':
        this.backlog.flush()
        this.cursor = message.cursor
        return this.reload(message)
      case 'error':
        if (message.topic !== undefined) this.topics.fail(message.topic, message.code)
    }
  }

  private welcome(message: Extract<Message, { op: 'ready' }>): void {
    this.ready = true
    this.failures = 0
    this.cancel('poll')
    this.cancel('reconnect')
    this.cursor ??= message.cursor
    const skew = Date.parse(message.server_time) - this.outside.now()
    this.set({
      link: message.behind > 0 ? 'catching_up' : 'live',
      behind: message.behind,
      skew,
      reason: null,
    })
    this.refuse(message.refused)
    this.cover(message.topics)
    this.sendChanges()
  }

  private ask(topic: string): void {
    if (this.changed.size === 0) queueMicrotask(() => this.sendChanges())
    this.changed.add(topic)
  }

  private sendChanges(): void {
    if (!this.ready || this.socket === null) return
    const topics = [...this.changed].filter(
      (topic) => this.topics.followed(topic) && !this.topics.covered(topic),
    )
    this.changed.clear()
    if (topics.length === 0) return
    const n = ++this.requests
    this.asked.set(n, topics)
    this.socket.send(JSON.stringify({ op: 'sub', n, topics, logs: this.topics.positions(topics) }))
  }

  private leave(topic: string): void {
    this.topics.forget(topic)
    if (this.ready && this.socket !== null) this.socket.send(JSON.stringify({ op: 'unsub', topics: [topic] }))
  }

  private lost(code: number): void {
    this.socket = null
    this.ready = false
    this.topics.uncoverLogs()
    this.cancel('silence')
    const final = FINAL[code]
    if (final !== undefined) {
      this.stop()
      return this.set({ link: final })
    }
    this.failures += 1
    if (this.state.link !== 'polling' && this.state.link !== 'stale' && this.state.link !== 'offline') {
      this.set({ link: 'connecting' })
    }
    if (this.failures >= POLL_AFTER && !this.timers.has('poll')) void this.pollNow()
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (this.failures - 1))
    this.after('reconnect', pause * (0.5 + this.outside.random() / 2), () => this.connect())
  }

  private async pollNow(): Promise<void> {
    this.after('poll', POLL_EVERY, () => void this.pollNow())
    const topics = this.topics.names()
    const form = { last_event_id: this.cursor, topics, logs: this.topics.positions(topics) }
    try {
      const answer = await this.outside.poll(form)
      if (this.ready || this.stopped) return
      this.heardPoll(answer, topics)
    } catch {
      if (!this.ready && !this.stopped && this.state.link !== 'offline') this.set({ link: 'stale' })
    }
  }

  private heardPoll(answer: PollAnswer, topics: string[]): void {
    const skew = Date.parse(answer.server_time) - this.outside.now()
    this.set({ link: 'polling', heardAt: this.outside.now(), skew })
    this.refuse(answer.refused)
    this.backlog.add(answer.frames, null)
    this.backlog.flush()
    this.cursor = answer.cursor
    if (answer.resync !== null) this.reload(answer.resync)
    this.cover(topics.filter((topic) => !answer.refused.some((refusal) => refusal.topic === topic)))
    for (const [topic, news] of Object.entries(answer.logs)) this.topics.news(topic, news)
  }

  private cover(topics: string[]): void {
    this.watch(this.topics.cover(topics))
  }

  private reload(resync: Resync): void {
    this.set({ reason: resync.reason })
    this.watch(this.topics.reload(resync.topics === 'all' ? this.topics.names() : resync.topics))
  }

  private refuse(refused: Refusal[]): void {
    for (const { topic, code } of refused) this.topics.refuse(topic, code)
  }

  /** Show "catching up" while loads run. */
  private watch(loads: Promise<unknown>[]): void {
    for (const load of loads) {
      this.loads += 1
      void load.finally(() => {
        this.loads -= 1
        this.settle()
      })
    }
  }

  private settle(): void {
    if (this.ready && this.loads === 0) this.set({ link: 'live', behind: 0 })
  }

  private heard(): void {
    this.state.heardAt = this.outside.now()
    this.after('silence', SILENCE, () => this.silent())
  }

  private silent(): void {
    this.drop()
    this.lost(1006)
  }

  private drop(): void {
    const socket = this.socket
    this.socket = null
    this.ready = false
    if (socket === null) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  private set(change: Partial<State>): void {
    const next = { ...this.state, ...change }
    const same = (Object.keys(next) as (keyof State)[]).every((key) => next[key] === this.state[key])
    this.state = next
    if (!same) this.onState(next)
  }

  private after(name: string, ms: number, act: () => void): void {
    this.cancel(name)
    if (this.stopped) return
    const run = () => {
      this.timers.delete(name)
      act()
    }
    this.timers.set(name, setTimeout(run, ms))
  }

  private cancel(name: string): void {
    const timer = this.timers.get(name)
    if (timer !== undefined) clearTimeout(timer)
    this.timers.delete(name)
  }
}

export type { Frame, Handler, LogChunk, LogNews, Position }
