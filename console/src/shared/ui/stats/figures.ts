// The figures of days as charts, tables and totals. Pure. A day without a value has null, which is a gap and not zero.
import type { components } from '@/shared/api/schema'

export type Day = components['schemas']['DayView']
export type Stats = components['schemas']['StatsView']
export type Unit = 'count' | 'minutes' | 'hours' | 'ratio' | 'cost'
export const PERIODS = ['7', '30', '90'] as const

export interface Series {
  key: string
  /** A colour of tokens.ts. */
  token: 'info' | 'success' | 'error' | 'neutral' | 'warning' | 'primary'
  /** Dashes in pixels: colour alone tells nobody which line is which. */
  dash: number[]
  values: (number | null)[]
}
export interface Chart {
  key: string
  unit: Unit
  series: Series[]
}

const ended = (day: Day) => day.succeeded + day.failed + day.cancelled
const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)
const sum = (days: readonly Day[], of: (day: Day) => number) =>
  days.reduce((total, day) => total + of(day), 0)

/** Return the charts that have something to show; cost is left out while nobody knows it. */
export function chartsOf(days: readonly Day[]): Chart[] {
  const line = (
    key: string,
    token: Series['token'],
    dash: number[],
    of: (day: Day) => number | null,
  ): Series => ({ key, token, dash, values: days.map(of) })
  const charts: Chart[] = [
    {
      key: 'runs',
      unit: 'count',
      series: [
        line('started', 'info', [], (day) => day.started),
        line('succeeded', 'success', [8, 4], (day) => day.succeeded),
        line('failed', 'error', [2, 3], (day) => day.failed),
        line('cancelled', 'neutral', [10, 3, 2, 3], (day) => day.cancelled),
      ],
    },
    {
      key: 'duration',
      unit: 'minutes',
      series: [
        line('work', 'primary', [], (day) => {
          const mean = share(day.active_seconds, ended(day))
          return mean === null ? null : mean / 60
        }),
      ],
    },
    {
      key: 'waits',
      unit: 'hours',
      series: [
        line('wait', 'warning', [], (day) => {
          const mean = share(day.waited_seconds, day.waits)
          return mean === null ? null : mean / 3600
        }),
      ],
    },
    {
      key: 'approvals',
      unit: 'ratio',
      series: [line('perPullRequest', 'primary', [], (day) => share(day.approvals, day.pull_requests))],
    },
    {
      key: 'tokens',
      unit: 'count',
      series: [
        line('in', 'info', [], (day) => day.tokens_in),
        line('cached', 'neutral', [8, 4], (day) => day.tokens_cached),
        line('out', 'success', [2, 3], (day) => day.tokens_out),
      ],
    },
    {
      key: 'cost',
      unit: 'cost',
      series: [
        line('cost', 'warning', [], (day) => (day.cost_micros === null ? null : day.cost_micros / 1e6)),
      ],
    },
  ]
  return charts.filter((chart) => chart.series.some((one) => one.values.some((value) => value !== null)))
}

export interface Totals {
  started: number
  success: number | null
  work: number | null
  waits: number
  wait: number | null
  pullRequests: number
  approvals: number | null
  tokens: number
  cost: number | null
}

/** Sum up the days: shares and means over everything, not means of means. Durations in seconds, cost in millionths. */
export function totalsOf(days: readonly Day[]): Totals {
  const over = sum(days, ended)
  const known = days.filter((day) => day.cost_micros !== null)
  const waits = sum(days, (day) => day.waits)
  const pullRequests = sum(days, (day) => day.pull_requests)
  return {
    started: sum(days, (day) => day.started),
    success: share(
      sum(days, (day) => day.succeeded),
      over,
    ),
    work: share(
      sum(days, (day) => day.active_seconds),
      over,
    ),
    waits,
    wait: share(
      sum(days, (day) => day.waited_seconds),
      waits,
    ),
    pullRequests,
    approvals: share(
      sum(days, (day) => day.approvals),
      pullRequests,
    ),
    tokens: sum(days, (day) => day.tokens_in + day.tokens_out),
    cost: known.length > 0 ? sum(known, (day) => day.cost_micros ?? 0) : null,
  }
}

/** Write a value of a chart; null is a dash. */
export function valueText(value: number | null | undefined, unit: Unit, locale: string): string {
  if (value === null || value === undefined) return '—'
  if (unit === 'cost')
    return new Intl.NumberFormat(locale, { style: 'currency', currency: 'USD' }).format(value)
  const most = unit === 'count' ? 0 : 1
  return new Intl.NumberFormat(locale, { maximumFractionDigits: most }).format(value)
}

/** Write a value beside an axis, where there is little room. */
export function axisText(value: number, unit: Unit, locale: string): string {
  if (Math.abs(value) < 10_000) return valueText(value, unit, locale)
  return new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

/** Write a day (a date in UTC, as the server counts days). */
export function dayText(day: string | number, locale: string): string {
  const at = typeof day === 'number' ? day * 1000 : Date.parse(`${day}T00:00:00Z`)
  return new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }).format(at)
}
