import { describe, expect, test } from 'vitest'
import { withScope } from '@/app/scope'
import { begin, inTime, scopeOf } from '@/shared/ui/scope'
import { listQuery } from '@/shared/ui/split'

describe('the scope', () => {
  const query = { project: ['a', 'b'], from: '2026-01-01T00:00:00Z', tab: 'logs' }
  test.each([
    [
      { project: 'many', time: true },
      { project: ['a', 'b'], from: '2026-01-01T00:00:00Z' },
    ],
    [{ project: 'one' }, { project: 'a' }],
    [{ time: true }, { from: '2026-01-01T00:00:00Z' }],
    [undefined, {}],
  ] as const)('of a screen that can be narrowed by %j', (able, found) =>
    expect(scopeOf(query, able)).toEqual(found),
  )
  test('a change leaves the rest of the address alone; what is empty goes', () => {
    expect(withScope(query, { project: [] })).toEqual({ from: query.from, tab: 'logs' })
    expect(withScope({ tab: 'logs' }, { from: 'x', to: null })).toEqual({ tab: 'logs', from: 'x' })
  })
  test('a span begins at a fixed minute, so that a pasted link shows the same', () => {
    expect(begin('hour', Date.parse('2026-03-01T12:00:42Z'))).toBe('2026-03-01T11:00:00.000Z')
  })
  test.each([
    ['2026-01-01T00:00:00Z', { from: ['2026-01-01T00:00:00Z'] }, true],
    ['2026-01-01T00:00:00Z', { to: ['2026-01-01T00:00:00Z'] }, false],
    ['2026-01-01T00:00:00Z', {}, true],
    [null, { from: ['2026-01-01T00:00:00Z'] }, false],
  ])('%s is inside %j: %s', (at, range, inside) => expect(inTime(at, range)).toBe(inside))
})

test('the address of a list keeps its filters and drops what belongs to a row', () => {
  expect(listQuery({ status: 'failed', tab: 'logs', stream: 'runner', list: 'jobs' })).toEqual({
    status: 'failed',
  })
})
