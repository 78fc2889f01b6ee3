// A server and a clock for the mux: the socket is driven by hand, time by the fake timers.
import { vi } from 'vitest'
import { Mux, type SocketLike } from '@/shared/realtime/mux'
import type { Frame, LogChunk, Message, PollAnswer, PollForm } from '@/shared/realtime/protocol'

export class FakeSocket implements SocketLike {
  sent: Record<string, unknown>[] = []
  closed = false
  onopen: (() => void) | null = null
  onmessage: ((message: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }

  close(): void {
    this.closed = true
  }

  say(message: Message): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }

  chunk(chunk: LogChunk): void {
    const { bytes, ...head } = chunk
    const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`)
    const data = new Uint8Array(line.length + bytes.length)
    data.set(line)
    data.set(bytes, line.length)
    this.onmessage?.({ data: data.buffer })
  }

  ready(topics: string[], more: Partial<Extract<Message, { op: 'ready' }>> = {}): void {
    const server_time = new Date(Date.now()).toISOString()
    this.say({ op: 'ready', cursor: 'c0', server_time, topics, refused: [], behind: 0, ...more })
  }
}

export class Server {
  sockets: FakeSocket[] = []
  polls: PollForm[] = []
  answer: () => PollAnswer | Promise<PollAnswer> = () => emptyAnswer()
  mux = new Mux({
    open: () => {
      const socket = new FakeSocket()
      this.sockets.push(socket)
      return socket
    },
    poll: async (form) => {
      this.polls.push(form)
      return this.answer()
    },
    now: () => Date.now(),
    random: () => 1,
    nextFrame: (flush) => void setTimeout(flush, 16),
  })

  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1]!
  }

  /** Accept the open connection and answer its hello. */
  accept(more: Partial<Extract<Message, { op: 'ready' }>> = {}): FakeSocket {
    this.socket.onopen?.()
    const hello = this.socket.sent[0] as { topics: string[] }
    this.socket.ready(hello.topics, more)
    return this.socket
  }

  drop(code = 1006): void {
    this.socket.onclose?.({ code })
  }
}

export function emptyAnswer(): PollAnswer {
  const server_time = new Date(Date.now()).toISOString()
  return { frames: [], logs: {}, refused: [], cursor: 'p1', resync: null, server_time }
}

export function frame(id: string, change: Partial<Frame> = {}): Frame {
  const version = change.version === undefined ? 1 : change.version
  return {
    id,
    topic: 'runs',
    key: 'r1',
    kind: 'run.started',
    version,
    at: '2026-01-01T00:00:00Z',
    data: { id: 'r1', version },
    ...change,
  }
}

/** Let promises settle and pass `ms` of time. */
export async function pass(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}
