// Requests: which a list shows, what their approver sees, and what a decision sends.
import { flushPromises } from '@vue/test-utils'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  byUrgency,
  FILTERS,
  matchesApproval,
  sectionsOf,
  shortHash,
  type Filters,
} from '@/features/approvals/list'
import { useDeciding } from '@/features/approvals/useDeciding'
import type { Approval, ApprovalDetail } from '@/shared/api/types'
import { loadArea } from '@/shared/i18n'
import { diffLines } from '@/shared/ui/diff'
import { asked } from '@/shared/ui/confirm'
import { agree, inPage, serve } from '../acts/fakes'
import { close, open, sees } from '../pages/mounting'
import { approval } from '../pages/pages'
import { answer, server } from '../pages/server'

const row = approval as unknown as ApprovalDetail
const as = (change: object) => ({ ...approval, ...change }) as unknown as ApprovalDetail
const none = Object.fromEntries(FILTERS.map((name) => [name, []])) as unknown as Filters

describe('the list', () => {
  test.each([
    [{}, true],
    [{ state: ['requested', 'denied'] }, true],
    [{ state: ['denied'] }, false],
    [{ mine: ['true'] }, true],
    [{ project: ['p2'] }, false],
    [{ run: ['r1'], action: ['run.start'] }, true],
    [{ from: ['2027-01-01T00:00:00Z'] }, false],
  ])('%j matches: %s', (filters, expected) =>
    expect(matchesApproval(row as Approval, { ...none, ...filters })).toBe(expected),
  )
  test('what waits for a decision is on top, then the newest', () => {
    const at = (id: string, state: string, day: number) =>
      as({ id, state, opened_at: `2026-01-0${day}T00:00:00Z` })
    const sorted = [
      at('a', 'applied', 3),
      at('b', 'requested', 1),
      at('c', 'denied', 4),
      at('d', 'requested', 2),
    ]
    expect(sorted.sort(byUrgency).map((one) => one.id)).toEqual(['d', 'b', 'c', 'a'])
  })
})

test('facts are grouped by section; a hash is told by its first twelve digits', () => {
  const line = (section: string, label: string) =>
    ({ section, label, value: '1' }) as ApprovalDetail['display'][number]
  const found = sectionsOf([line('target', 'a'), line('risk', 'b'), line('target', 'c')])
  expect(found.map(({ name, lines }) => [name, lines.map((one) => one.label)])).toEqual([
    ['target', ['a', 'c']],
    ['risk', ['b']],
  ])
  expect(shortHash(approval.action_hash)).toBe('ab12ab12ab12')
})

test('a diff’s lines are told apart, also where they look like headers', () => {
  const text =
    'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n--- gone\n+++ new\ndiff --git a/y b/y\n'
  expect(diffLines(text).map((line) => line.kind)).toEqual([
    'file',
    'file',
    'file',
    'hunk',
    'same',
    'removed',
    'added',
    'file',
  ])
})

describe('a decision', () => {
  beforeAll(() => loadArea('approvals', 'en'))
  afterEach(() => vi.unstubAllGlobals())
  const deciding = () => {
    const changed: ApprovalDetail[] = []
    return { ...inPage(() => useDeciding((fresh) => changed.push(fresh))), changed }
  }

  test('sends the hash that was shown, and nothing before it is confirmed', async () => {
    const sent = serve(() => as({ state: 'approved', version: 2 }))
    const { approve, changed } = deciding()
    const done = approve(row, false)
    await flushPromises()
    expect(sent).toEqual([])
    const question = await agree()
    await done
    expect(question).toMatchObject({ tier: 1, gentle: true })
    expect(question.body).toContain('ab12ab12ab12')
    expect(sent[0]!.path).toBe('/api/v1/approvals/a1:decide')
    expect(sent[0]!.body).toMatchObject({
      decision: 'approve',
      action_hash: approval.action_hash,
      acknowledge_sole: false,
    })
    expect(sent[0]!.headers.get('idempotency-key')).toBeTruthy()
    expect(changed.map((one) => one.state)).toEqual(['approved'])
  })
  test('what production needs shows the server’s preview and wants the name', async () => {
    const preview = { stops: [], lost: [], survives: [], confirm_token: 'tok', expires_at: '' }
    const sent = serve(({ query }) => (query.includes('preview=true') ? preview : as({ state: 'approved' })))
    const { approve } = deciding()
    const done = approve(as({ typed_confirm: true, confirm_name: 'shop/api' }), true)
    const question = await agree('', 'shop/api')
    await done
    expect(question).toMatchObject({ tier: 3, name: 'shop/api' })
    expect(sent.at(-1)!.body).toMatchObject({
      confirm_token: 'tok',
      confirm_name: 'shop/api',
      acknowledge_sole: true,
    })
  })
  test.each(['refused', 'needs_information'] as const)(
    'no is told with its reason: %s',
    async (reason_code) => {
      const sent = serve(() => as({ state: 'denied' }))
      const { deny } = deciding()
      const done = deny(row, reason_code, false)
      expect(await agree('Not on a Friday')).toMatchObject({ tier: 1, reason: true })
      await done
      expect(sent[0]!.body).toMatchObject({ decision: 'deny', reason: 'Not on a Friday', reason_code })
    },
  )
  test('who steps back decides nothing', async () => {
    const sent = serve(() => row)
    const { approve } = deciding()
    const done = approve(row, false)
    await flushPromises()
    asked.value!.answer(null)
    await done
    expect(sent).toEqual([])
  })
})

describe('the page', () => {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => {
    close()
    server.resetHandlers()
  })
  afterAll(() => server.close())
  const show = async (change: object) => {
    answer('/approvals/a1', { ...approval, ...change })
    return open('/approvals/a1')
  }
  const buttons = (shown: Awaited<ReturnType<typeof show>>) =>
    shown.wrapper.findAll('.sw-actions button').map((one) => one.text())

  test('says what happens, who decides, until when, what follows, and which hash', async () => {
    const display = [
      { section: 'target', label: 'repository', value: 'shop/api', masked: false, untrusted: false },
      { section: 'argument', label: 'token', value: 'hunter2', masked: true, untrusted: false },
      { section: 'justification', label: 'title', value: 'Trust me', masked: false, untrusted: true },
    ]
    const shown = await show({ display, hidden_characters: 2 })
    await sees(shown, 'Start ai_repair (run-0001) in shop/api')
    for (const text of [
      'An administrator of the project or the owner decides this.',
      'then it waits until somebody renews it',
      'repair-start',
      'ab12ab12ab12',
      'Trust me',
      'Written by the agent, not by the platform.',
      '2 hidden characters were removed',
    ])
      expect(shown.text()).toContain(text)
    expect(shown.wrapper.html()).not.toContain('hunter2')
    expect(buttons(shown)).toEqual(['Approve', 'Deny…', 'Ask for more…', 'Give up…'])
  })
  test('who started the run cannot decide; a single person says that they know it first', async () => {
    const barred = await show({ own: 'barred' })
    await sees(barred, 'somebody else has to decide')
    expect(buttons(barred)).toEqual([])
    const sole = await show({ own: 'sole' })
    await sees(sole, 'nobody else may decide')
    const approve = () => sole.wrapper.findAll('.sw-actions button')[0]!
    expect(approve().attributes('disabled')).toBeDefined()
    await sole.wrapper.find('input[type=checkbox]').setValue(true)
    expect(approve().attributes('disabled')).toBeUndefined()
  })
  test('a decision that was taken says by whom and why, and offers none', async () => {
    const over = ['approve', 'deny', 'cancel'].map((verb) => ({
      verb,
      mode: 'deny',
      reason_code: 'already_resolved',
    }))
    const decided = { state: 'denied', decided_at: approval.opened_at, approver: { kind: 'user', id: 'u1' } }
    const shown = await show({ ...decided, approver_name: 'Ann', reason: 'No', allowed_actions: over })
    await sees(shown, 'Decided by Ann')
    expect(buttons(shown)).toEqual([])
  })
  test('a held result shows its diff', async () => {
    answer('/runs/r1/result/diff', {
      base_sha: 'a'.repeat(40),
      tree_sha: 'b'.repeat(40),
      diff: '@@ -1 +1 @@\n-old\n+new\n',
      truncated: false,
    })
    const shown = await show({
      action: 'result.publish',
      effect: { ...approval.effect, code: 'result.publish' },
    })
    await sees(shown, 'Publish the result of ai_repair')
    await sees(shown, '+new')
    expect(shown.wrapper.find('.sw-diff-removed').text()).toBe('-old')
  })
})
