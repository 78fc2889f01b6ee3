import { describe, expect, test } from 'vitest'
import type { LogChunk } from '@/shared/realtime/protocol'
import { LogStore } from '@/shared/ui/logs/store'
import { LogTail } from '@/shared/ui/logs/tail'

const text = Array.from({ length: 200 }, (_, i) => `строка ${i}\n`).join('')
const whole = new TextEncoder().encode(text)
const reads: [number, number][] = []

function tail(read?: (from: number, to: number) => Promise<Uint8Array>) {
  reads.length = 0
  const store = new LogStore()
  const fromServer = (from: number, to: number) => {
    reads.push([from, to])
    return Promise.resolve(whole.slice(from, to))
  }
  return { store, it: new LogTail(1, store, read ?? fromServer) }
}

function chunk(seq: number, from: number, to: number, more: Partial<LogChunk> = {}): LogChunk {
  const bytes = whole.slice(from, to)
  return { topic: 't', attempt: 1, stream_seq: seq, from_byte: from, from_line: 0, bytes, ...more }
}

describe('the tail of a log', () => {
  test('reads what was printed before, then adds chunks', async () => {
    const { it, store } = tail()
    await it.reach(101, 3)
    await it.take(chunk(4, 101, 350))
    expect(reads).toEqual([[0, 101]])
    expect(it.held).toBe(350)
    expect(it.position).toEqual({ attempt: 1, stream_seq: 4 })
    expect(store.line(0)).toBe('строка 0')
  })
  test('drops a repeated chunk and cuts an overlapping one', async () => {
    const { it, store } = tail()
    await it.take(chunk(1, 0, 100))
    await it.take(chunk(1, 0, 100))
    await it.take(chunk(2, 60, 160))
    expect(it.held).toBe(160)
    expect(store.bytes).toBe(160)
  })
  test('reads a hole by REST and goes on', async () => {
    const { it } = tail()
    await it.take(chunk(1, 0, 100))
    await it.take(chunk(5, 400, 500))
    expect(reads).toEqual([[100, 400]])
    expect(it.held).toBe(500)
    expect(it.hole).toBeNull()
  })
  test('asks for the next range while it takes one in, and again from where a short answer ended', async () => {
    const MiB = 1 << 20
    const bytes = new Uint8Array(2.5 * MiB).fill(10)
    const asked: [number, number][] = []
    const { it } = tail((from, to) => {
      asked.push([from, to])
      return Promise.resolve(bytes.slice(from, from === MiB && asked.length === 2 ? to - 7 : to))
    })
    await it.reach(bytes.length, 1)
    expect(asked).toEqual([
      [0, MiB],
      [MiB, 2 * MiB],
      [2 * MiB, 2.5 * MiB],
      [2 * MiB - 7, 2.5 * MiB],
    ])
    expect([it.held, it.hole]).toEqual([bytes.length, null])
  })
  test('shows a hole that cannot be read, and mends it on retry', async () => {
    let broken = true
    const { it } = tail((from, to) =>
      broken ? Promise.reject(new Error('down')) : Promise.resolve(whole.slice(from, to)),
    )
    await it.take(chunk(1, 0, 100))
    await it.take(chunk(5, 400, 500))
    expect(it.hole).toMatchObject({ from: 100, to: 400 })
    broken = false
    await it.retry()
    expect(it.hole).toBeNull()
    expect(it.held).toBe(400)
  })
  test('the end is a fact of the server: what is missing then is read', async () => {
    const { it, store } = tail()
    const eof = { bytes: whole.length, lines: 200, sha256: 'x' }
    await it.take(chunk(9, 0, 100, { eof }))
    expect(it.complete).toBe(true)
    expect(store.lines).toBe(200)
    expect(store.line(199)).toBe('строка 199')
  })
  test('a chunk of another attempt is not added', async () => {
    const { it } = tail()
    await it.take(chunk(1, 0, 100, { attempt: 2 }))
    expect(it.held).toBe(0)
  })
  test('polling news are read by REST', async () => {
    const { it } = tail()
    await it.news({ attempt: 1, stream_seq: 4, bytes: 300, eof: null })
    expect(it.held).toBe(300)
    expect(it.seq).toBe(4)
  })
})
