// What the Run page says of the agent: the feed by level, groups of calls, long waits, the session's figures.
import { describe, expect, test } from 'vitest'
import { actedOf, belongs, folded, without } from '@/features/runs/events'
import { phasesOf } from '@/features/runs/phases'
import { attemptRows, lineTotals, modelRows, toolRows } from '@/features/runs/session'
import { applyFrames } from '@/features/runs/useRun'
import type { Run, RunDetail, RunEvent } from '@/shared/api/types'
import { frame } from '../realtime/fakes'

function aRun(change: Partial<Run> = {}): Run {
  const run: Partial<Run> = {
    id: 'r1',
    status: 'running',
    version: 3,
    active_seconds: 0,
    pull_request: null,
    created_at: '2026-01-01T00:00:00Z',
    admitted_at: '2026-01-01T00:00:05Z',
    started_at: '2026-01-01T00:00:09Z',
    status_since: '2026-01-01T00:00:09Z',
    finished_at: null,
  }
  return { ...run, ...change } as Run
}

describe('the feed of a run', () => {
  const event = (seq: number, kind: string, data: object = {}, at = '2026-01-01T00:00:00Z') =>
    ({ seq, kind, data, at, actor: { kind: '', id: '' }, correlation_id: '' }) as RunEvent

  test.each([
    ['run.wait.paused', 'important', true, true],
    ['run.agent.ready', 'important', true, false],
    ['run.agent.ready', 'normal', true, true],
    ['run.agent.status_reported', 'important', true, true],
    ['run.mcp.token.issued', 'normal', false, false],
    ['run.mcp.token.issued', 'all', false, true],
    ['run.queued', 'all', true, false],
    ['mcp.tool.called', 'normal', true, true],
    ['run.brand.new', 'important', false, true],
  ] as const)('%s at level %s (agent: %s) is shown: %s', (kind, level, agent, shown) =>
    expect(belongs(kind, level, agent)).toBe(shown),
  )
  test('every level leaves out less than the one before', () => {
    expect(without('all')).toEqual([])
    expect(without('important')).toEqual(expect.arrayContaining(without('normal')))
  })
  test('calls of tools are one group with the newest totals', () => {
    const acted = (seq: number, calls: number) =>
      event(seq, 'run.agent.acted', {
        commands: { calls, failed: 0 },
        file_changes: { calls: 1 },
        tools: { search: { calls }, build: { calls: 9 } },
      })
    const lines = folded([acted(4, 7), acted(3, 5), event(2, 'run.agent.ready'), acted(1, 2)])
    expect(lines.map((line) => line.calls.length)).toEqual([2, 0, 1])
    expect(actedOf(lines[0]!.calls)).toEqual({
      commands: 7,
      files: 1,
      tools: [
        { name: 'build', calls: 9 },
        { name: 'search', calls: 7 },
      ],
    })
  })
  test('calls that the platform journals one by one are counted by name', () => {
    const call = (seq: number, tool: string) => event(seq, 'mcp.tool.called', { tool })
    const [group] = folded([call(3, 'a'), call(2, 'b'), call(1, 'a')])
    expect(actedOf(group!.calls).tools).toEqual([
      { name: 'a', calls: 2 },
      { name: 'b', calls: 1 },
    ])
    expect(actedOf([event(1, 'mcp.tool.called')])).toEqual({ commands: 0, files: 0, tools: [] })
  })
  test('a long wait is one labelled break, a short one is none', () => {
    const paused = { wait: { who_can_act: 'ann', kind: 'question' } }
    const waited = (minutes: number) =>
      folded([
        event(3, 'run.agent.ready', {}, '2026-01-01T05:00:00Z'),
        event(2, 'run.wait.resumed', {}, `2026-01-01T00:${minutes}:00Z`),
        event(1, 'run.wait.paused', paused),
      ]).map((line) => line.pause)
    expect(waited(50)).toEqual([null, { seconds: 3000, who: 'ann', reason: 'question' }, null])
    expect(waited(10)[1]?.seconds).toBe(600)
    expect(folded([event(2, 'run.wait.resumed'), event(1, 'run.wait.paused')])[0]?.pause).toBe(null)
  })
  test('a wait that cancelling ended is a break too', () => {
    const lines = folded([
      event(2, 'run.cancel.requested', {}, '2026-01-01T02:10:00Z'),
      event(1, 'run.wait.paused', {}),
    ])
    expect(lines[0]?.pause).toEqual({ seconds: 7800, who: '', reason: '' })
  })
})

describe('the session', () => {
  const write = String
  const acts = {
    turns: 2,
    messages: 1,
    commands: { calls: 4, failed: 1 },
    file_changes: { calls: 3, failed: 0 },
    tools: [{ name: 'search', calls: 5, failed: 2 }],
  }
  const models = [
    { model: 'm', calls: 2, tokens_in: 10, tokens_cached: 4, tokens_out: 1, cost_micros: null },
    { model: 'n', calls: 1, tokens_in: 5, tokens_cached: 0, tokens_out: 2, cost_micros: 7 },
  ]
  test('what nobody counted is a dash', () => {
    expect(toolRows(null, write)).toEqual([])
    expect(toolRows(acts, write)).toEqual([{ tool: 'search', calls: '5', failedCalls: '2' }])
    const rows = attemptRows(
      [
        { attempt: 1, acts: null, models: [] },
        { attempt: 2, acts, models },
      ],
      write,
    )
    expect(Object.values(rows[0]!)).toEqual(['1', '—', '—', '—', '—', '—'])
    expect(Object.values(rows[1]!)).toEqual(['2', '2', '4', '5', '15', '3'])
    expect(
      modelRows(models, write, (micros) => (micros === null ? '—' : 'x')).map((row) => row.cost),
    ).toEqual(['—', 'x'])
  })
  test('lines of files that are no text do not count', () => {
    const file = (added: number | null, removed: number | null) => ({ path: '', status: 'M', added, removed })
    expect(lineTotals([file(2, 1), file(null, null), file(3, 0)])).toEqual({ added: 5, removed: 1 })
  })
})

test('a change of the pull request is on the page without loading', () => {
  const run = { ...aRun(), attempts: [] } as unknown as RunDetail
  const told = frame('9', {
    key: 'event:9',
    kind: 'run.pr.updated',
    version: undefined,
    data: { pr_number: 4, pull_request: { pr_number: 4, state: 'merged' } },
  })
  expect(applyFrames(run, [told]).pull_request?.state).toBe('merged')
})

test('a phase that waited long says how much of it was no work', () => {
  const run = aRun({ status: 'succeeded', finished_at: '2026-01-01T02:00:09Z', active_seconds: 600 })
  expect(phasesOf(run)[2]).toMatchObject({ name: 'running', stood: 6600 })
  expect(phasesOf({ ...run, active_seconds: 7100 })[2]?.stood).toBeUndefined()
  const finishing = aRun({ status: 'finishing', status_since: '2026-01-01T00:01:09Z', active_seconds: 60 })
  expect(phasesOf(finishing)[2]).toMatchObject({ to: '2026-01-01T00:01:09Z' })
})
