// The way of an issue: what the track shows of each stage, what is listed, and what may be started.
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { orderedSteps, shownStages, stepsOf } from '@/features/overview/lineage/lineage'
import type { Lineage, LineageStage, LineageStep } from '@/shared/api/types'
import { close, open, sees, SOON } from '../pages/mounting'
import { way } from '../pages/pages'
import { answer, AT, server } from '../pages/server'

const base = way as unknown as Lineage
const stage = (name: string, state: LineageStage['state'], more: Partial<LineageStage> = {}) =>
  ({ ...base.track[0]!, stage: name, name, state, ...more }) as LineageStage
const run = {
  id: 'r1',
  number: 'run-0001',
  kind: 'dev',
  status: 'succeeded',
  requested_by: { kind: 'forge', id: 'ann', name: 'ann' },
  created_at: AT,
  finished_at: AT,
} as LineageStage['runs'][number]
const cause = {
  reason: 'issue_blocked',
  text: 'The issue is blocked by `state:blocked`.',
  remedy: 'Take it off.',
}
const step = (target: string, more: object = {}) => ({
  target_label: target,
  display_variant: '',
  text: `go on: \`${target}\``,
  recommended: false,
  path: `/next-step?target_label=${encodeURIComponent(target)}`,
  ...more,
})

describe('the track', () => {
  const track = [
    stage('plan', 'done', { runs: [run] }),
    stage('dev', 'current', { runs: [run] }),
    stage('qa', 'next'),
    stage('ops', 'later'),
    stage('vision', 'skipped'),
    stage('arch', 'passed_over'),
    stage('docs', 'stopped', { runs: [run] }),
  ]
  test('has one state for each of the server’s, and marks where the issue stands', () => {
    const steps = stepsOf({ ...base, track, wanted_stage: 'qa' })
    expect(steps.map((one) => `${one.name} ${one.state}`)).toEqual([
      'plan done',
      'dev current',
      'qa next',
      'ops ahead',
      'vision skipped',
      'arch skipped',
      'docs failed',
    ])
    expect(steps.filter((one) => one.here).map((one) => one.name)).toEqual(['dev'])
    expect(steps.filter((one) => one.to).map((one) => one.name)).toEqual(['plan', 'dev', 'docs'])
  })
  test('what comes next but may not start is blocked', () => {
    const blocked = { ...base, track, blocked_by: [cause] } as unknown as Lineage
    expect(stepsOf(blocked).map((one) => one.state)).toContain('blocked')
    expect(stepsOf(blocked).map((one) => one.state)).not.toContain('next')
  })
  test('stages with nothing to show are not listed, but for the wanted one', () => {
    expect(shownStages({ ...base, track, wanted_stage: 'qa' }).map((one) => one.stage)).toEqual([
      'plan',
      'dev',
      'qa',
      'docs',
    ])
  })
})

test('the recommended step comes first, the others keep their order', () => {
  const steps = [step('a'), step('b', { recommended: true }), step('c')] as unknown as LineageStep[]
  expect(orderedSteps(steps).map((one) => one.target_label)).toEqual(['b', 'a', 'c'])
})

describe('the page', () => {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => {
    close()
    server.resetHandlers()
  })
  afterAll(() => server.close())
  const show = async (change: object) => {
    answer('/issues/shop/api/12', { ...way, ...change })
    return open('/i/shop/api/12')
  }

  test('says what keeps the next stage from starting, and what to do', async () => {
    const shown = await show({ blocked_by: [cause] })
    await sees(shown, 'Development cannot start now')
    const note = shown.wrapper.find('.sw-warning')
    expect(note.text()).toContain('Take it off.')
    expect(note.find('code').text()).toBe('state:blocked')
  })
  test('offers next steps as links to their confirmation, and starts nothing itself', async () => {
    const shown = await show({ next_steps: [step('run:qa'), step('run:dev:revise', { recommended: true })] })
    await sees(shown, 'Next steps')
    const links = shown.wrapper.findAll('.sw-next-steps a').map((link) => link.attributes('href'))
    expect(links).toEqual(['/next-step?target_label=run%3Adev%3Arevise', '/next-step?target_label=run%3Aqa'])
  })
  test('who may not start runs sees the steps with the reason, and no link', async () => {
    const deny = [{ verb: 'next_step', mode: 'deny', reason_code: 'permission_denied' }]
    const shown = await show({ next_steps: [step('run:qa')], allowed_actions: deny })
    await sees(shown, 'You may not do this')
    expect(shown.wrapper.find('.sw-next-steps').text()).toContain('run:qa')
    expect(shown.wrapper.find('.sw-next-steps a').exists()).toBe(false)
  })
  test('shows runs, documents and pull requests of a stage', async () => {
    const document = {
      path: 'docs/a.md',
      status: 'added',
      declared: true,
      run_number: 'run-0001',
      url: 'http://f/a',
    }
    const pull = {
      pr_number: 7,
      url: 'http://f/7',
      state: 'in_review',
      branch: 'b',
      head_sha: 'a'.repeat(40),
    }
    const dev = { ...way.track[0], state: 'done', runs: [run], documents: [document], pulls: [pull] }
    const shown = await show({
      track: [dev],
      labels: [{ text: 'state:in-review', key: null, color: '57606a' }],
    })
    await sees(shown, 'run-0001')
    for (const text of ['docs/a.md', 'pull request #7', 'in review', 'state:in-review'])
      expect(shown.text()).toContain(text)
  })
  test('a pull request that belongs to an issue leads to the way of the issue', async () => {
    answer('/issues/shop/api/7', { ...way, asked_number: 7 })
    answer('/issues/shop/api/12', way)
    const shown = await open('/i/shop/api/7')
    await vi.waitFor(() => expect(shown.router.currentRoute.value.path).toBe('/i/shop/api/12'), SOON)
  })
})
