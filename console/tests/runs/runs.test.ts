import { describe, expect, test } from 'vitest'
import { detailOf, folded, withEvents } from '@/features/runs/events'
import { byAge, FILTERS, matchesRun, needsLoad, pullRequestOf, type RunFilters } from '@/features/runs/list'
import { phasesOf, sentenceOf } from '@/features/runs/phases'
import { stagesOf } from '@/features/runs/stages'
import { grouped } from '@/features/runs/waits'
import { applyFrames } from '@/features/runs/useRun'
import { stacked } from '@/app/stack'
import { localPath } from '@/shared/ui/localPath'
import { readRange } from '@/shared/ui/logs/useLineRange'
import { marked } from '@/shared/ui/logs/marks'
import type { Incident, Run, RunDetail, RunEvent, Wait, WaitFrame } from '@/shared/api/types'
import { noRows, withChanges, withPage } from '@/shared/realtime/rows'
import { frame } from '../realtime/fakes'

function aRun(change: Partial<Run> = {}): Run {
  const run: Partial<Run> = {
    id: 'r1',
    status: 'running',
    version: 3,
    stage: 'dev',
    role: 'dev',
    project_id: 'p1',
    issue_number: 12,
    pr_number: null,
    requested_by: { kind: 'forge', id: 'ann' },
    wait: null,
    pull_request: null,
    created_at: '2026-01-01T00:00:00Z',
    admitted_at: '2026-01-01T00:00:05Z',
    started_at: '2026-01-01T00:00:09Z',
    status_since: '2026-01-01T00:00:09Z',
    finished_at: null,
    launch_profile: null,
    code: null,
    failure_class: null,
    admission_reason: null,
  }
  return { ...run, ...change } as Run
}
const none = Object.fromEntries(FILTERS.map((name) => [name, []])) as unknown as RunFilters
const waiting = {
  kind: 'question',
  who_can_act: 'ann',
  target: { kind: 'request', id: 'q1' },
  opened_at: '2026-01-01T00:01:00Z',
  deadline_at: '2026-01-02T00:00:00Z',
  resume_at: null,
}

describe('the list of runs', () => {
  test.each([
    [{}, true],
    [{ status: ['queued', 'running'] }, true],
    [{ status: ['failed'] }, false],
    [{ status: ['running'], issue: ['12'] }, true],
    [{ status: ['running'], issue: ['13'] }, false],
    [{ pr: ['4'] }, false],
    [{ wait_reason: ['question'] }, false],
  ])('%j matches: %s', (filters, expected) =>
    expect(matchesRun(aRun(), { ...none, ...filters })).toBe(expected),
  )
  test('newest first, equal times by id', () => {
    const older = aRun({ id: 'a', created_at: '2025-01-01T00:00:00Z' })
    expect([older, aRun({ id: 'b' }), aRun({ id: 'c' })].sort(byAge).map((run) => run.id)).toEqual([
      'c',
      'b',
      'a',
    ])
  })
  test('a frame carries the wait and the pull request; only what an ended run used is loaded, once', () => {
    const ended = { finished_at: '2026-01-01T00:02:00Z' }
    expect(needsLoad(aRun(), aRun({ status: 'waiting' }))).toBe(false)
    expect(needsLoad(aRun({ status: 'finishing' }), aRun({ status: 'succeeded', ...ended }))).toBe(true)
    expect(needsLoad(aRun({ status: 'queued' }), aRun({ status: 'cancelled', ...ended }))).toBe(true)
    expect(needsLoad(aRun(ended), aRun({ version: 9, ...ended }))).toBe(false)
  })
  test.each([
    [{ from: ['2026-01-01T00:00:00Z'] }, true],
    [{ from: ['2026-01-01T00:00:01Z'] }, false],
    [{ to: ['2026-01-01T00:00:00Z'] }, false],
    [{ from: ['2025-12-31T00:00:00Z'], to: ['2026-01-02T00:00:00Z'] }, true],
  ])('the range %j holds a run made at midnight: %s', (filters, expected) =>
    expect(matchesRun(aRun(), { ...none, ...filters })).toBe(expected),
  )
})

describe('one run', () => {
  test('its phases follow its status', () => {
    const states = (run: Run) => phasesOf(run).map((phase) => `${phase.name} ${phase.state}`)
    expect(states(aRun())).toEqual([
      'queued done',
      'preparing done',
      'running current',
      'finishing ahead',
      'end ahead',
    ])
    expect(states(aRun({ status: 'waiting' }))[2]).toBe('waiting current')
    const over = aRun({ status: 'succeeded', finished_at: '2026-01-01T00:02:00Z' })
    expect(states(over)).toEqual([
      'queued done',
      'preparing done',
      'running done',
      'finishing done',
      'succeeded done',
    ])
    const never = aRun({
      status: 'failed',
      admitted_at: null,
      started_at: null,
      finished_at: '2026-01-01T00:02:00Z',
    })
    expect(states(never).slice(1, 3)).toEqual(['preparing ahead', 'running ahead'])
  })
  test('the sentence says what is waited for, by whom, until when', () => {
    const said = sentenceOf(aRun({ status: 'waiting', wait: waiting as WaitFrame }))
    expect(said).toMatchObject({
      key: 'runs.now.question',
      params: { who: 'ann' },
      until: '2026-01-02T00:00:00Z',
    })
    expect(sentenceOf(aRun({ status: 'queued', admission_reason: 'role_limit' })).params).toEqual({
      reason: 'role_limit',
    })
  })
  test('frames move it forward only, and its attempts with it', () => {
    const run = {
      ...aRun(),
      attempts: [{ id: 'a1', run_id: 'r1', generation: 1, status: 'live' }],
    } as unknown as RunDetail
    const old = frame('1', { key: 'r1', data: { id: 'r1', version: 2, status: 'queued' } })
    expect(applyFrames(run, [old]).status).toBe('running')
    const next = frame('2', { key: 'r1', data: { id: 'r1', version: 4, status: 'succeeded' } })
    const attempt = frame('3', {
      key: 'a1',
      data: { id: 'a1', run_id: 'r1', generation: 1, status: 'ended' },
    })
    const after = applyFrames(run, [next, attempt])
    expect([after.status, after.attempts[0]?.status]).toEqual(['succeeded', 'ended'])
  })
  test('the stages of the profile show what became of each', () => {
    const policy = { profiles: { default: 'feature', paths: { feature: ['plan', 'dev', 'qa'] } } }
    const runs = [aRun({ id: 'r0', stage: 'plan', status: 'succeeded' }), aRun()]
    expect(stagesOf(policy, runs, aRun()).map((stage) => `${stage.name} ${stage.state}`)).toEqual([
      'plan done',
      'dev current',
      'qa ahead',
    ])
  })
  test('the track shows what the profile skips, and what comes next once the newest has succeeded', () => {
    const paths = { 'quick-fix': ['plan', 'dev'], 'new-service': ['vision', 'plan', 'dev', 'qa'] }
    const policy = { profiles: { default: 'quick-fix', paths } }
    const done = aRun({ id: 'r0', stage: 'plan', status: 'succeeded' })
    const states = (...runs: Run[]) =>
      stagesOf(policy, runs, done).map((stage) => `${stage.name} ${stage.state}`)
    expect(states(done)).toEqual(['vision skipped', 'plan done', 'dev next', 'qa skipped'])
    const late = '2026-01-02T00:00:00Z'
    expect(states(done, aRun({ id: 'r2', created_at: late })).at(2)).toBe('dev current')
    expect(states(done, aRun({ id: 'r2', created_at: late, status: 'failed' })).at(2)).toBe('dev failed')
    expect(states(done, aRun({ id: 'r2', stage: 'audit', status: 'succeeded' })).at(-1)).toBe('audit done')
  })
})

test('a pull request that changed changes in every row that shows it, and is no row itself', () => {
  const shown = (url: string) => aRun({ pull_request: { url, state: 'open' } as Run['pull_request'] })
  const data = { pull_request: { url: 'u/1', state: 'merged' } }
  const change = pullRequestOf(frame('1', { kind: 'run.pr.updated', data }))!
  expect(change(shown('u/1')).pull_request?.state).toBe('merged')
  const other = shown('u/2')
  expect(change(other)).toBe(other)
  expect(pullRequestOf(frame('2', { kind: 'run.started', data: {} }))).toBeUndefined()
  const rows = withPage(
    noRows<Run>(),
    { items: [shown('u/1')], next_cursor: null },
    (row) => row.id,
    new Map(),
  )
  expect(withChanges(rows, [undefined, change]).rows.get('r1')?.pull_request?.state).toBe('merged')
  expect(withChanges(rows, [undefined])).toBe(rows)
})

describe('events', () => {
  const event = (seq: number, kind: string, data: object = {}) =>
    ({ seq, kind, data, at: '', actor: { kind: '', id: '' }, correlation_id: '' }) as RunEvent
  test('a repeated event is shown once, new ones on top', () => {
    expect(
      withEvents([event(2, 'b')], [event(2, 'b'), event(3, 'c'), event(4, 'd')]).map((item) => item.seq),
    ).toEqual([4, 3, 2])
  })
  test('neighbours that say the same are one line with a count', () => {
    const lines = folded([event(3, 'a', { code: 'x' }), event(2, 'a', { code: 'x' }), event(1, 'a')])
    expect(lines.map((line) => line.times)).toEqual([2, 1])
    expect(detailOf(event(1, 'a', { code: 'x', reason: 'y', other: 'z' }))).toBe('x · y')
  })
})

test('waits stand in their groups', () => {
  const waits = [{ kind: 'budget' }, { kind: 'question' }, { kind: 'approval' }] as Wait[]
  expect(grouped(waits).map((group) => `${group.name} ${group.waits.length}`)).toEqual([
    'tool 2',
    'pressure 1',
  ])
})

test('the corner shows errors that I have not seen, not muted, newest on top', () => {
  const base = { state: 'open', level: 'error', viewed: false, muted_until: null }
  const items = [
    { ...base, id: 'a', last_seen: '2026-01-01' },
    { ...base, id: 'b', last_seen: '2026-01-03' },
    { ...base, id: 'c', last_seen: '2026-01-04', viewed: true },
    { ...base, id: 'd', last_seen: '2026-01-04', level: 'warning' },
    { ...base, id: 'e', last_seen: '2026-01-04', muted_until: '2027-01-01T00:00:00Z' },
  ] as Incident[]
  expect(stacked(items, Date.parse('2026-06-01')).map((item) => item.id)).toEqual(['b', 'a'])
})

test.each([
  ['/runs?status=failed', '/runs?status=failed'],
  ['//evil.test', '/'],
  ['/\\evil.test', '/'],
  ['https://evil.test', '/'],
  [undefined, '/'],
  ['/login?next=/login', '/'],
])('after signing in %s leads to %s', (next, path) => expect(localPath(next)).toBe(path))

test.each([
  ['#L5', [4, 4]],
  ['#L120-L140', [119, 139]],
  ['#L9-3', [2, 8]],
  ['#x', null],
  ['#L0', null],
])('%s names lines', (hash, lines) => expect(readRange(hash)).toEqual(lines))

test('hits are marked over the borders of colours', () => {
  const parts = [
    { text: 'an er', classes: 'a' },
    { text: 'ror, error', classes: 'b' },
  ]
  const found = marked(parts, 'ERROR', false)
  expect(found.filter((part) => part.hit).map((part) => `${part.text}|${part.classes}`)).toEqual([
    'er|a',
    'ror|b',
    'error|b',
  ])
  expect(found.map((part) => part.text).join('')).toBe('an error, error')
})
