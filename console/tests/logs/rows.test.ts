import { describe, expect, test } from 'vitest'
import { foreign, linked } from '@/shared/ui/logs/links'
import { errorLines } from '@/shared/ui/logs/opening'
import { asidePlace, Rows, shownRows } from '@/shared/ui/logs/rows'
import { fileName, plainFile, withoutCodes } from '@/shared/ui/logs/save'
import { FilteredLog } from '@/shared/ui/logs/filtered'
import { LogStore } from '@/shared/ui/logs/store'
import { trackPlaces } from '@/shared/ui/logs/track'
import { WindowedLog } from '@/shared/ui/logs/windowed'

const ESC = '\u001b'
const encode = (text: string) => new TextEncoder().encode(text)
function log(...lines: string[]): LogStore {
  const store = new LogStore()
  store.append(encode(lines.map((line) => `${line}\n`).join('')))
  return store
}
const look = { query: '', regex: false, whole: new Set<number>() }

describe('links in a line', () => {
  const addresses = (text: string) =>
    linked([{ text, classes: '' }]).flatMap((part) => (part.href ? [part.href] : []))
  test.each([
    ['see https://a.test/x?y=1#z.', ['https://a.test/x?y=1#z']],
    ['(http://a.test/x), <https://b.test>', ['http://a.test/x', 'https://b.test']],
    ['javascript:alert(1) ftp://a.test file:///etc/passwd data:text/html,x', []],
    ['https://', []],
    ['https://[::', []],
  ])('%s', (text, found) => expect(addresses(text)).toEqual(found))
  test('the text stays whole, with its colours', () => {
    const parts = linked([{ text: 'at https://a.test now', classes: 'sw-fg-1' }])
    expect(parts.map((part) => part.text).join('')).toBe('at https://a.test now')
    expect(parts.every((part) => part.classes === 'sw-fg-1')).toBe(true)
  })
  test('only another host asks first', () => {
    expect(foreign('https://here.test/x', 'here.test')).toBe(false)
    expect(foreign('https://here.test.evil.test/', 'here.test')).toBe(true)
    expect(foreign('https://here.test@evil.test/', 'here.test')).toBe(true)
  })
})

describe('masked secrets', () => {
  test.each(['token «redacted» end', 'token ••• (masked: API_KEY) end'])('%s stands out', (text) => {
    const parts = linked([{ text, classes: '' }])
    expect(parts.map((part) => part.classes)).toEqual(['', 'sw-masked', ''])
    expect(parts.map((part) => part.text).join('')).toBe(text)
  })
})

describe('rows', () => {
  test('a long line is cut, not within an escape code, and shown whole when asked', () => {
    const text = `${'x'.repeat(8190)}${ESC}[31mred`
    const source = log(text)
    const cut = new Rows().row(source, 0, look)
    expect(cut.cut).toBe(text.length)
    expect(cut.parts.map((part) => part.text).join('')).toBe('x'.repeat(8190))
    const whole = new Rows().row(source, 0, { ...look, whole: new Set([0]) })
    expect([whole.cut, whole.parts[1]]).toEqual([0, { text: 'red', classes: 'sw-fg-1', hit: false }])
  })
  test.each([
    ['{"a":1}', true],
    [`12:00 info {"a":[1]}${ESC}[0m`, true],
    ['{broken}', false],
    ['f() { x }', false],
    ['[info] done', false],
  ])('%s unfolds: %s', (text, json) => expect(new Rows().row(log(text), 0, look).json).toBe(json))
  test('a row with an end of the selection stays in the document, in order and out of the flow', () => {
    const window = { first: 100, count: 3, shift: 0 }
    expect(shownRows(window, [7, 101, 900, 5000], 1000)).toEqual([7, 100, 101, 102, 900])
    expect(asidePlace(101, window)).toBeNull()
    expect(asidePlace(7, window)).toEqual({ position: 'absolute', top: '-1860px' })
    expect(asidePlace(7, window, 24)).toEqual({ position: 'absolute', top: '-2232px' })
    expect(asidePlace(900_000, window)).toEqual({ position: 'absolute', top: '100000px' })
  })
  test('rows of a filter bear the numbers of the whole log', () => {
    const part = new FilteredLog(log('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), [{ line: 7, from: 0, to: 1 }])
    expect(new Rows().row(part, 0, look)).toMatchObject({ i: 0, line: 4, cutBefore: false })
  })
  test('a hit is marked also within a link', () => {
    const row = new Rows().row(log('to https://a.test/path'), 0, { ...look, query: 'path' })
    expect(row.parts.filter((part) => part.hit)).toEqual([
      { text: 'path', classes: '', href: 'https://a.test/path', hit: true },
    ])
  })
})

describe('marks on the track', () => {
  test('each place once, in per cent', () => {
    expect(trackPlaces([0, 1, 2, 500_000, 999_999], 1_000_000)).toEqual([0, 50, 99.75])
    expect(trackPlaces([3], 0)).toEqual([])
  })
  test('errors are looked for from a line on, at most so many', async () => {
    const source = log('error a', 'fine', 'error b', '0 errors', 'fatal: c')
    expect(await errorLines(source, 0, 10)).toEqual([0, 2, 4])
    expect(await errorLines(source, 1, 1)).toEqual([2])
    expect(await errorLines(source, 5, 10)).toEqual([])
  })
  test('a search from a line on skips what stands before it over many chunks', async () => {
    const source = new LogStore()
    for (let n = 0; n < 4; n++) source.append(encode(`hit ${n}\n${'x'.repeat(99)}\n`.repeat(11_000)))
    const hits = await source.search('hit', { from: 80_000, limit: 2 })
    expect(hits.map((hit) => hit.line)).toEqual([80_000, 80_002])
  })
})

describe('files', () => {
  const text = `a${ESC}[31mred${ESC}[0m\n10%\r100%\nжук`
  test('a log without its codes, to the last byte', async () => {
    const source = new LogStore()
    source.append(encode(text))
    const file = await plainFile(source)
    expect(await file.text()).toBe('ared\n100%\nжук\n')
    expect(file.size).toBe(encode('ared\n100%\nжук\n').length)
    expect(withoutCodes('plain\n')).toBe('plain\n')
  })
  test('what a filter shows', async () => {
    const source = log('a', `${ESC}[1mb`, 'c')
    const file = await plainFile(new FilteredLog(source, [{ line: 1, from: 0, to: 1 }]))
    expect(await file.text()).toBe('a\nb\nc\n')
  })
  test('a log larger than memory is read again', async () => {
    const bytes = encode(`${'x'.repeat(99)}\n`.repeat(40_000))
    const source = new WindowedLog((from, to) => Promise.resolve(bytes.slice(from, to)), 1_100_000)
    for (let at = 0; at < bytes.length; at += 500_000) source.append(bytes.subarray(at, at + 500_000))
    expect((await plainFile(source)).size).toBe(bytes.length)
  })
  test.each([
    [['run-0042 · Агент', ''], 'run-0042-Агент.txt'],
    [['../..\\x', 'raw'], '..-..-x-raw.txt'],
    [['', ''], 'log.txt'],
  ] as const)('%j is saved as %s', ([title, kind], name) => expect(fileName(title, kind)).toBe(name))
})
