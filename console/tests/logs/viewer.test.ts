import { describe, expect, test } from 'vitest'
import { excerpt, markdown, unfolded } from '@/shared/ui/logs/excerpt'
import { FilteredLog, linesAround } from '@/shared/ui/logs/filtered'
import { firstError, openingOf } from '@/shared/ui/logs/opening'
import { LogStore } from '@/shared/ui/logs/store'

function log(...lines: string[]): LogStore {
  const store = new LogStore()
  store.append(new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')))
  return store
}
const numbered = (count: number) => log(...Array.from({ length: count }, (_, i) => `line ${i}`))

describe('filtering', () => {
  const hits = (...lines: number[]) => lines.map((line) => ({ line, from: 0, to: 1 }))
  test.each([
    [hits(10), [7, 8, 9, 10, 11, 12, 13]],
    [hits(0), [0, 1, 2, 3]],
    [hits(19), [16, 17, 18, 19]],
    [hits(5, 6), [2, 3, 4, 5, 6, 7, 8, 9]],
    [hits(2, 12), [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15]],
    [[], []],
  ])('keeps three lines around each hit, each once', (found, kept) =>
    expect(linesAround(found, 20)).toEqual(kept),
  )
  test('rows bear the numbers of the whole log, and say where lines are left out', () => {
    const part = new FilteredLog(numbered(20), hits(2, 12))
    expect(part.lines).toBe(13)
    expect([part.origin(0), part.line(6), part.origin(6)]).toEqual([0, 'line 9', 9])
    expect([part.cut(0), part.cut(5), part.cut(6)]).toEqual([false, false, true])
    expect([part.rowOf(12), part.rowOf(7), part.rowOf(99)]).toEqual([9, 6, 12])
  })
})

describe('opening', () => {
  const how = { live: false, failed: false, linked: false, follows: true }
  test.each([
    [{ live: true }, 'end'],
    [{ live: true, follows: false }, 'top'],
    [{ failed: true }, 'error'],
    [{}, 'top'],
    [{ failed: true, linked: true }, 'link'],
    [{ live: true, linked: true }, 'link'],
  ] as const)('%o opens at the %s', (change, where) => expect(openingOf({ ...how, ...change })).toBe(where))
  test.each([
    [['begun', 'make: *** Error 2', 'error again'], 1],
    [['0 errors', 'no failures', 'Traceback (most recent call last):'], 2],
    [['ok', 'Ошибка: нет файла'], 1],
    [['ok', 'mirrored', 'stopped'], 2],
    [[], 0],
  ])('the first error of %j is line %i; without one the last line', async (lines, line) =>
    expect(await firstError(log(...lines))).toBe(line),
  )
})

describe('copies', () => {
  test('lines are copied without escape codes', () => {
    expect(excerpt(log('a', '\u001b[31mred\u001b[0m', 'c'), [0, 1])).toBe('a\nred')
  })
  test('Markdown has the link and a fence that the text cannot end', () => {
    expect(markdown('a\n```\nb', 'run-0001 L1-L3', 'http://x.test/#L1-L3')).toBe(
      '[run-0001 L1-L3](http://x.test/#L1-L3)\n\n````text\na\n```\nb\n````\n',
    )
  })
  test.each([
    ['{"a":1}', '{\n  "a": 1\n}'],
    ['12:00 info {"a":[1]}', '12:00 info {\n  "a": [\n    1\n  ]\n}'],
    ['plain', null],
    ['{broken', null],
    ['[info] text', null],
  ])('JSON in %s is unfolded', (line, text) => expect(unfolded(line)).toBe(text))
})
