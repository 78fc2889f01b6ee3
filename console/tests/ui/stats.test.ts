// Statistics: means over everything, gaps where nothing is known, days in UTC.
import { describe, expect, test } from 'vitest'
import { axisText, chartsOf, dayText, totalsOf, valueText, type Day } from '@/shared/ui/stats/figures'

function aDay(change: Partial<Day> = {}): Day {
  return {
    day: '2026-01-01',
    started: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    active_seconds: 0,
    tokens_in: 0,
    tokens_cached: 0,
    tokens_out: 0,
    cost_micros: null,
    waits: 0,
    waited_seconds: 0,
    approvals: 0,
    pull_requests: 0,
    ...change,
  }
}
const days = [
  aDay(),
  aDay({ started: 3, succeeded: 1, failed: 1, active_seconds: 600, tokens_in: 10, tokens_out: 2 }),
  aDay({
    succeeded: 2,
    active_seconds: 1800,
    waits: 2,
    waited_seconds: 7200,
    approvals: 1,
    pull_requests: 2,
  }),
]
const values = (key: string) =>
  chartsOf(days)
    .find((chart) => chart.key === key)
    ?.series.map((one) => one.values)

describe('charts', () => {
  test('a day on which nothing ended has no mean', () => {
    expect(values('duration')).toEqual([[null, 5, 15]])
    expect(values('waits')).toEqual([[null, null, 1]])
    expect(values('approvals')).toEqual([[null, null, 0.5]])
  })
  test('counts are counts', () =>
    expect(values('runs')).toEqual([
      [0, 3, 0],
      [0, 1, 2],
      [0, 1, 0],
      [0, 0, 0],
    ]))
  test('what nobody knows has no chart', () => {
    expect(values('cost')).toBeUndefined()
    expect(chartsOf([aDay({ cost_micros: 2_500_000 })]).at(-1)?.series[0]?.values).toEqual([2.5])
  })
  test('no two lines of a chart look the same without colour', () => {
    for (const chart of chartsOf(days))
      expect(new Set(chart.series.map((one) => one.dash.join())).size).toBe(chart.series.length)
  })
})

test('totals are means over everything, not means of means', () =>
  expect(totalsOf(days)).toEqual({
    started: 3,
    success: 0.75,
    work: 600,
    waits: 2,
    wait: 3600,
    pullRequests: 2,
    approvals: 0.5,
    tokens: 12,
    cost: null,
  }))
test('without runs there is nothing to divide by', () =>
  expect(totalsOf([aDay()])).toMatchObject({ success: null, work: null, wait: null, approvals: null }))

test.each([
  [null, 'count', '—'],
  [1234, 'count', '1,234'],
  [1.25, 'hours', '1.3'],
  [2.5, 'cost', '$2.50'],
] as const)('%s %s is written %s', (value, unit, text) => expect(valueText(value, unit, 'en')).toBe(text))

test('an axis has little room', () => {
  expect([9999, 1_250_000].map((value) => axisText(value, 'count', 'en'))).toEqual(['9,999', '1.3M'])
  expect(axisText(0.5, 'cost', 'en')).toBe('$0.50')
})

test('a day is a day of UTC', () => {
  expect(dayText('2026-03-01', 'en')).toBe('Mar 1')
  expect(dayText(Date.parse('2026-03-01T00:00:00Z') / 1000, 'ru')).toBe('1 мар.')
})
