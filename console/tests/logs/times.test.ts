import { describe, expect, test } from 'vitest'
import type { LogChunk } from '@/shared/realtime/protocol'
import { FilteredLog } from '@/shared/ui/logs/filtered'
import { LogStore } from '@/shared/ui/logs/store'
import { LogTail } from '@/shared/ui/logs/tail'
import { clock, elapsed, LogTimes, writer } from '@/shared/ui/logs/times'

const encode = (text: string) => new TextEncoder().encode(text)
const at = (seconds: number) => new Date(Date.UTC(2026, 10, 22, 12, 0, seconds)).toISOString()
const ms = (seconds: number) => Date.parse(at(seconds))
function times(...marks: [line: number, seconds: number][]): LogTimes {
  const made = new LogTimes()
  for (const [from_line, seconds] of marks) made.note({ from_line, at: at(seconds) })
  return made
}

describe('times of lines', () => {
  test.each([
    [0, 0],
    [4, 0],
    [5, 7],
    [8, 7],
    [9, 60],
    [1000, 60],
  ])('line %i is of the chunk it stands in', (line, seconds) =>
    expect(times([0, 0], [5, 7], [9, 60]).of(line)).toBe(ms(seconds)),
  )
  test('marks come in any order, and a line that goes on is of its last chunk', () => {
    const made = times([9, 60], [0, 0], [5, 7], [5, 8])
    expect([0, 5, 9].map((line) => made.of(line))).toEqual([ms(0), ms(8), ms(60)])
  })
  test('nothing is said of lines before the first mark, nor of a time that cannot be read', () => {
    const made = times([5, 7])
    made.note({ from_line: 0, at: 'yesterday' })
    expect([made.of(4), made.first, made.last]).toEqual([null, null, ms(7)])
  })
  test('chunks of one second are one mark: a flood does not fill the memory', () => {
    const made = new LogTimes()
    for (let n = 0; n < 10_000; n++) made.note({ from_line: n, at: new Date(ms(0) + n).toISOString() })
    expect(made.count).toBe(10)
  })
})

describe('how times are written', () => {
  test.each([
    [0, '+0:00'],
    [7, '+0:07'],
    [125, '+2:05'],
    [3723, '+1:02:03'],
    [-3, '+0:00'],
  ])('%i s after the beginning is %s', (seconds, text) => expect(elapsed(ms(seconds), ms(0))).toBe(text))
  test('the time of day is that of the zone, with the day in a log of several days', () => {
    expect(clock(ms(5), 'en', 'UTC', false)).toBe('12:00:05')
    expect(clock(ms(5), 'ru', 'Europe/Moscow', false)).toBe('15:00:05')
    expect(clock(ms(5), 'ru', 'Europe/Moscow', true)).toBe('22.11, 15:00:05')
  })
  test('off, since the start, by the clock', () => {
    const span = { begunAt: ms(0), lastAt: ms(60) }
    expect(writer('off', span, 'en', 'UTC')).toBeNull()
    expect(writer('relative', span, 'en', 'UTC')!(ms(7))).toBe('+0:07')
    expect(writer('absolute', span, 'en', 'UTC')!(ms(7))).toBe('12:00:07')
    expect(writer('relative', { begunAt: null, lastAt: null }, 'en', 'UTC')!(null)).toBe('')
    const long = { begunAt: ms(0), lastAt: ms(90_000) }
    expect(writer('absolute', long, 'en', 'UTC')!(ms(7))).toBe('11/22, 12:00:07')
  })
})

describe('where times come from', () => {
  const whole = encode('one\ntwo\nthree\nfour\n')
  const reads: number[] = []
  const readTimes = (from: number) => {
    reads.push(from)
    const times = from === 0 ? [{ from_line: 0, at: at(1) }] : [{ from_line: 2, at: at(9) }]
    return Promise.resolve({ times, next: from === 0 ? 8 : 14 })
  }
  function tail(): LogTail {
    reads.length = 0
    return new LogTail(1, new LogStore(), (from, to) => Promise.resolve(whole.slice(from, to)))
  }
  function chunk(seq: number, [from, to]: [number, number], line: number, seconds: number): LogChunk {
    const bytes = whole.slice(from, to)
    const place = { topic: 't', attempt: 1, stream_seq: seq, from_byte: from, from_line: line }
    return { ...place, at: at(seconds), bytes }
  }
  const shown = (it: LogTail) => Array.from({ length: it.store.lines }, (_, i) => it.store.timeOf(i))

  test('chunks of the feed bring theirs: nothing is asked', async () => {
    const it = tail()
    await it.take(chunk(1, [0, 8], 0, 1))
    await it.take(chunk(2, [8, 19], 2, 5))
    await it.timesFrom(readTimes)
    expect(shown(it)).toEqual([ms(1), ms(1), ms(5), ms(5)])
    expect(reads).toEqual([])
  })
  test('what was read before is asked for piece by piece once times are wanted, and not again', async () => {
    const it = tail()
    await it.reach(14, 2)
    expect(shown(it)).toEqual([null, null, null])
    await it.timesFrom(readTimes)
    expect(reads).toEqual([0, 8])
    expect(shown(it)).toEqual([ms(1), ms(1), ms(9)])
    await it.take(chunk(3, [14, 19], 3, 20))
    await it.timesFrom(null)
    await it.timesFrom(readTimes)
    expect(reads).toEqual([0, 8])
    expect(shown(it)).toEqual([ms(1), ms(1), ms(9), ms(20)])
  })
  test('a log without times stands: they are an aid', async () => {
    const it = tail()
    await it.reach(14, 2)
    await it.timesFrom(() => Promise.reject(new Error('down')))
    expect(it.store.lines).toBe(3)
    await it.timesFrom(readTimes)
    expect(shown(it)).toEqual([ms(1), ms(1), ms(9)])
  })
  test('the end bears its time, and the bytes are exactly those that came', async () => {
    const it = tail()
    const eof = { bytes: whole.length, lines: 4, sha256: 'x' }
    await it.take({ ...chunk(9, [0, 0], 0, 30), eof })
    expect(it.end?.at).toBe(at(30))
    expect(it.store.bytes).toBe(whole.length)
  })
  test('a filtered log has the times of the whole one', async () => {
    const it = tail()
    await it.take(chunk(1, [0, 8], 0, 1))
    await it.take(chunk(2, [8, 19], 2, 5))
    const part = new FilteredLog(it.store, [{ line: 3, from: 0, to: 1 }], 0)
    expect([part.lines, part.timeOf(0), part.begunAt]).toEqual([1, ms(5), ms(1)])
  })
})
