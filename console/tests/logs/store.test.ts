import { describe, expect, test } from 'vitest'
import { LogStore } from '@/shared/ui/logs/store'
import { WindowedLog } from '@/shared/ui/logs/windowed'

const encode = (text: string) => new TextEncoder().encode(text)
function store(...parts: (string | Uint8Array)[]): LogStore {
  const log = new LogStore()
  for (const part of parts) log.append(typeof part === 'string' ? encode(part) : part)
  return log
}
const all = (log: LogStore) => Array.from({ length: log.lines }, (_, i) => log.line(i))

describe('append', () => {
  test('cuts lines at LF and leaves the CR before it out', () => {
    expect(all(store('one\r\ntwo\nthree\n'))).toEqual(['one', 'two', 'three'])
  })
  test('shows an unfinished last line and completes it', () => {
    const log = store('one\ntw')
    expect(all(log)).toEqual(['one', 'tw'])
    log.append(encode('o\n'))
    expect(all(log)).toEqual(['one', 'two'])
  })
  test('joins a character that was cut between two appends', () => {
    const bytes = encode('жук\nёж\n')
    expect(all(store(bytes.subarray(0, 1), bytes.subarray(1, 8), bytes.subarray(8)))).toEqual(['жук', 'ёж'])
  })
  test('keeps empty lines and lone carriage returns', () => {
    expect(all(store('\n\na\rb\n'))).toEqual(['', '', 'a\rb'])
  })
  test('gives a line longer than a chunk a chunk of its own', () => {
    const long = 'x'.repeat((1 << 20) + 5)
    const log = store('before\n', `${long}\nafter\n`)
    expect(log.lines).toBe(3)
    expect(log.line(1)).toBe(long)
    expect(log.line(2)).toBe('after')
  })
  test('finds every line over many chunks', () => {
    const log = new LogStore()
    const block = Array.from({ length: 10_000 }, (_, i) => `line ${i} ${'.'.repeat(60)}`)
    for (let n = 0; n < 8; n++) log.append(encode(`${block.join('\n')}\n`))
    expect(log.lines).toBe(80_000)
    for (const i of [0, 9_999, 10_000, 31_234, 79_999]) expect(log.line(i)).toBe(block[i % 10_000])
    expect(log.bytes).toBe(encode(`${block.join('\n')}\n`).length * 8)
  })
  test('does not break on bytes that are no UTF-8', () => {
    expect(store(Uint8Array.from([0xff, 0x61, 10])).line(0)).toBe('\ufffda')
  })
})

describe('search', () => {
  const log = store('Alpha\nбеЛая Ёлка\nbeta ALPHA\n', 'alph')
  test('folds case and ё, and finds columns', async () => {
    expect(await log.search('alpha')).toEqual([
      { line: 0, from: 0, to: 5 },
      { line: 2, from: 5, to: 10 },
    ])
    expect(await log.search('елка')).toEqual([{ line: 1, from: 6, to: 10 }])
  })
  test('looks into the unfinished line too', async () => {
    expect((await log.search('alph')).map((hit) => hit.line)).toEqual([0, 2, 3])
  })
  test('takes regular expressions, and says when one is broken', async () => {
    expect((await log.search('^b.*a$', { regex: true })).map((hit) => hit.line)).toEqual([2])
    await expect(log.search('(', { regex: true })).rejects.toThrow()
  })
  test('stops at its limit and when it is cancelled', async () => {
    expect((await log.search('a', { limit: 1 })).length).toBe(1)
    expect(await log.search('a', { signal: AbortSignal.abort() })).toEqual([])
  })
  test('marks the whole line where folding changes its length', async () => {
    const odd = store('İstanbul x\n')
    expect(await odd.search('x')).toEqual([{ line: 0, from: 0, to: 10 }])
  })
})

describe('a log larger than memory', () => {
  const text = Array.from({ length: 60_000 }, (_, i) => `line ${i} ${'.'.repeat(60)}`).join('\n') + '\n'
  const bytes = encode(text)
  function windowed() {
    const reads: [number, number][] = []
    const log = new WindowedLog((from, to) => {
      reads.push([from, to])
      return Promise.resolve(bytes.slice(from, to))
    }, 2_200_000)
    for (let at = 0; at < bytes.length; at += 500_000) log.append(bytes.subarray(at, at + 500_000))
    return { log, reads }
  }
  test('gives bytes back and reads a range again when its lines are looked at', async () => {
    const { log, reads } = windowed()
    expect(log.lines).toBe(60_000)
    expect(log.held).toBeLessThanOrEqual(2_200_000)
    expect(log.line(5)).toBeNull()
    await new Promise<void>((resolve) => (log.onChange = resolve))
    expect(log.line(5)).toBe(`line 5 ${'.'.repeat(60)}`)
    expect(reads.length).toBe(1)
    expect(log.line(59_999)).toContain('line 59999 ')
  })
  test('searches everything without keeping it', async () => {
    const { log } = windowed()
    expect((await log.search('line 777 ')).map((hit) => hit.line)).toEqual([777])
    expect(log.held).toBeLessThanOrEqual(2_200_000)
  })
})
