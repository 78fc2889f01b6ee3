import { Validator, type Schema } from '@cfworker/json-schema'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readChunk, type Message } from '@/shared/realtime/protocol'
import description from '../../../docs/realtime.schema.json'
import { frame, Server } from './fakes'

/** The messages of the socket as the gateway's own tests know them. */
function faults(name: string, message: unknown): string[] {
  const schema = { $defs: description.$defs, $ref: `#/$defs/${name}` } as unknown as Schema
  return new Validator(schema, '2020-12', false).validate(message).errors.map((error) => error.error)
}

const AT = '2026-03-01T12:00:00Z'
const MESSAGES: [string, Message][] = [
  ['Ready', { op: 'ready', cursor: 'c0', server_time: AT, topics: ['runs'], refused: [], behind: 0 }],
  [
    'Ready',
    {
      op: 'ready',
      cursor: 'c0',
      server_time: AT,
      topics: [],
      refused: [{ topic: 'x', code: 'forbidden' }],
      behind: 3,
    },
  ],
  ['Ack', { op: 'ack', n: 1, topics: ['runs'], refused: [] }],
  ['Events', { op: 'events', frames: [frame('1'), frame('2', { data: null })], cursor: 'c1' }],
  ['Events', { op: 'events', frames: [frame('3')] }],
  ['Resync', { op: 'resync', topics: 'all', reason: 'too_old', cursor: 'c2' }],
  ['Resync', { op: 'resync', topics: ['runs'], reason: 'overflow', cursor: 'c2' }],
  ['Ping', { op: 'ping', at: AT, cursor: 'c3' }],
  ['Error', { op: 'error', topic: 'run.logs:r1:engine', code: 'log_gap' }],
]

describe('what the fake server says', () => {
  test.each(MESSAGES)('%s fits the description of the socket', (name, message) => {
    expect(faults(name, message)).toEqual([])
    expect(faults('ServerMessage', message)).toEqual([])
  })
  test('a message that is none of them does not fit', () => {
    expect(faults('ServerMessage', { op: 'ready', cursor: 'c0' })).not.toEqual([])
    expect(faults('Resync', { op: 'resync', topics: 'all', reason: 'other', cursor: 'c2' })).not.toEqual([])
  })
})

describe('what the browser says', () => {
  let server: Server
  beforeEach(() => {
    vi.useFakeTimers()
    server = new Server()
  })
  afterEach(() => {
    server.mux.stop()
    vi.useRealTimers()
  })
  test('every message that it sends fits: hello, more topics, fewer topics, logs with their position', async () => {
    const position = () => ({ attempt: 1, stream_seq: 4 })
    server.mux.subscribe('runs', {})
    server.mux.start()
    const socket = server.accept()
    const leave = server.mux.subscribe('waits', {})
    server.mux.subscribe('run.logs:r1:engine', { position })
    leave()
    await vi.advanceTimersByTimeAsync(6000)
    expect(socket.sent.map((message) => message.op)).toEqual(
      expect.arrayContaining(['hello', 'sub', 'unsub']),
    )
    for (const message of socket.sent)
      expect(faults('ClientMessage', message), JSON.stringify(message)).toEqual([])
    expect(JSON.stringify(socket.sent)).toContain('"stream_seq":4')
  })
})

test('a chunk has the described head before its bytes', () => {
  const head = {
    topic: 'run.logs:r1:engine',
    attempt: 1,
    stream_seq: 2,
    from_byte: 10,
    from_line: 1,
    at: AT,
    eof: null,
  }
  const whole = new TextEncoder().encode(`${JSON.stringify(head)}\nstep 2\n`)
  const { bytes, ...read } = readChunk(whole.buffer)
  expect(new TextDecoder().decode(bytes)).toBe('step 2\n')
  expect(faults('Chunk', read)).toEqual([])
  const end = { bytes: 17, lines: 2, sha256: 'a'.repeat(64) }
  expect(faults('Chunk', { ...read, eof: end })).toEqual([])
})
