import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { russianPlural } from '@/shared/i18n/plural'
import { absolute, bytes, duration, relative } from '@/shared/i18n/time'

type Words = { [key: string]: string | Words }
const SRC = new URL(`file://${process.cwd()}/src/`)
const files = (readdirSync(SRC, { recursive: true }) as string[]).map(String)
const areas = files
  .filter((name) => name.endsWith('i18n/en.json'))
  .map((name) => name.replace(/en\.json$/, ''))

function flat(words: Words, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === 'string') found.set(prefix + key, value)
    else for (const [name, text] of flat(value, `${prefix}${key}.`)) found.set(name, text)
  }
  return found
}
const load = (area: string, locale: string) =>
  flat(JSON.parse(readFileSync(new URL(`${area}${locale}.json`, SRC), 'utf8')) as Words)
const marks = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
const forms = (text: string) => text.split(' | ').length

describe.each(areas)('words of %s', (area) => {
  const [en, ru] = [load(area, 'en'), load(area, 'ru')]
  test('both languages have the same keys', () => {
    expect([...ru.keys()].sort()).toEqual([...en.keys()].sort())
  })
  test('both have the same placeholders, and plural forms by their language', () => {
    for (const [key, text] of en) {
      const other = ru.get(key) ?? ''
      expect(marks(other), key).toEqual(marks(text))
      if (forms(text) > 1) expect([3, 4], key).toContain(forms(other))
      else expect(forms(other), key).toBe(1)
    }
  })
  test('there is no refresh button', () => {
    expect([...en.keys()].filter((key) => /refresh/i.test(key))).toEqual([])
  })
})

test('every key that the code names exists', () => {
  const known = new Set(areas.flatMap((area) => [...load(area, 'en').keys()]))
  const code = files
    .filter((name) => /\.(vue|ts)$/.test(name))
    .map((name) => readFileSync(new URL(name, SRC), 'utf8'))
  const named = code.flatMap((text) => [...text.matchAll(/\bt\(\s*'([\w.+]+)'/g)].map((match) => match[1]!))
  expect(named.length).toBeGreaterThan(100)
  expect(named.filter((key) => !known.has(key))).toEqual([])
})

describe('plural', () => {
  test.each([
    [1, 0],
    [21, 0],
    [2, 1],
    [24, 1],
    [5, 2],
    [11, 2],
    [0, 2],
    [1.5, 1],
  ])('%d takes form %d of three', (n, form) => expect(russianPlural(n, 3)).toBe(form))
  test('with four forms zero has its own', () => {
    expect([0, 1, 3, 7].map((n) => russianPlural(n, 4))).toEqual([0, 1, 2, 3])
  })
})

describe('times', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  test.each([
    [0, '0 s'],
    [59, '59 s'],
    [125, '2 min 5 s'],
    [7800, '2 h 10 min'],
    [200_000, '2 d 7 h'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds, 'en')).toBe(text))
  test('relative times say before and after', () => {
    expect(relative(now - 190_000, now, 'en')).toBe('3 minutes ago')
    expect(relative(now + 7_200_000, now, 'en')).toBe('in 2 hours')
    expect(relative(now - 5000, now, 'ru')).toBe('5 секунд назад')
  })
  test('absolute times name their zone', () => {
    expect(absolute(now, 'en', 'UTC')).toBe('Mar 1, 2026, 12:00:00 UTC')
    expect(absolute(now, 'en', 'Europe/Moscow')).toContain('15:00:00')
  })
  test('sizes', () => {
    expect([bytes(12, 'en'), bytes(7_900_000, 'en'), bytes(2048, 'ru')]).toEqual(['12 B', '7.9 MB', '2 КБ'])
  })
})
