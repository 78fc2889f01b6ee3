// The dialog of a status comment's link: preview first, execution as previewed, refusals in words, changes by others.
import { http, HttpResponse } from 'msw'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { changedBetween, diffOf, stepOf } from '@/features/overview/next/step'
import type { StepPreview } from '@/shared/api/types'
import { close, open, sees, SOON, type Shown } from '../pages/mounting'
import { answer, page, server } from '../pages/server'

const LINK =
  '/next-step?repository_full_name=shop%2Fapi&issue_number=12&action_kind=issue_stage_transition' +
  '&target_label=run%3Aqa&display_variant=all_flows&source_run_id=r1'
const preview = {
  verdict: 'start',
  reason: null,
  reason_text: null,
  remedy_text: null,
  remedy_params: {},
  conflicting_labels: [],
  suggested_labels: [],
  title: 'Quality: run:qa',
  action_kind: 'issue_stage_transition',
  target_label: { key: 'run:qa', text: 'run:qa' },
  thread_number: 12,
  removed_labels: ['state:in-review'],
  added_labels: ['run:qa', 'state:approved'],
  final_labels: ['bug', 'run:qa', 'state:approved'],
  profile_before: { profile: 'feature', source: 'default' },
  profile_after: { profile: 'new-service', source: 'chosen' },
  accepts_pull_request: 7,
  run: { kind: 'qa', stage: 'qa', role: 'qa', mode: 'code-only', env: 'none', skipped_stages: ['plan'] },
  expected_labels_hash: 'h1',
}
const as = (change: object) => ({ ...preview, ...change }) as unknown as StepPreview

describe('the link', () => {
  const read = (query: string) => stepOf(Object.fromEntries(new URLSearchParams(query)))
  test('names the step', () => {
    expect(read(LINK.split('?')[1]!)).toEqual({
      form: {
        repository_full_name: 'shop/api',
        issue_number: 12,
        pull_request_number: null,
        action_kind: 'issue_stage_transition',
        target_label: 'run:qa',
        display_variant: 'all_flows',
        source_run_id: 'r1',
      },
    })
  })
  test.each([
    ['', ['repository_full_name', 'issue_number', 'action_kind', 'target_label']],
    [
      'repository_full_name=api&issue_number=12&action_kind=issue_stage_transition&target_label=x',
      ['repository_full_name'],
    ],
    [
      'repository_full_name=a/b&issue_number=x&action_kind=other&target_label=x',
      ['issue_number', 'action_kind'],
    ],
  ])('%j lacks %j', (query, wrong) => expect(read(query)).toEqual({ wrong }))
})

test('labels are shown with what happens to each', () => {
  expect(diffOf(as({})).map(({ text, mark }) => `${mark ?? 'kept'} ${text}`)).toEqual([
    'removed state:in-review',
    'added run:qa',
    'added state:approved',
    'kept bug',
  ])
})

test('what others changed between two previews is told apart from what the step does', () => {
  const after = as({ removed_labels: [], final_labels: ['urgent', 'run:qa', 'state:approved'] })
  expect(changedBetween(as({}), after)).toEqual([
    { text: 'state:in-review', mark: 'removed' },
    { text: 'bug', mark: 'removed' },
    { text: 'urgent', mark: 'added' },
  ])
})

const API = 'http://console.test/api/v1/next-steps'
const sent: { body: Record<string, unknown>; key: string | null }[] = []
type Answer = { status?: number; body: object }
function answers(path: 'preview' | 'execute', ...list: Answer[]): void {
  let n = 0
  server.use(
    http.post(`${API}/${path}`, async ({ request }) => {
      const { status = 200, body } = list[Math.min(n++, list.length - 1)]!
      if (path === 'execute')
        sent.push({
          body: (await request.json()) as Record<string, unknown>,
          key: request.headers.get('idempotency-key'),
        })
      return HttpResponse.json(body as never, { status })
    }),
  )
}
const dialog = () => (document.querySelector('.sw-dialog')?.textContent ?? '').replace(/\s+/g, ' ')
const says = (text: string) => vi.waitFor(() => expect(dialog()).toContain(text), SOON)
const button = (text: string) =>
  [...document.querySelectorAll<HTMLButtonElement>('.sw-dialog button')].find(
    (one) => one.textContent?.trim() === text,
  )
async function confirmed(shown: Shown): Promise<void> {
  await vi.waitFor(() => expect(button('Start qa')?.disabled).toBe(false), SOON)
  button('Start qa')!.click()
  await vi.waitFor(() => expect(sent.length).toBeGreaterThan(0), SOON)
  expect(shown.router.currentRoute.value).toBeDefined()
}

describe('the dialog', () => {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  beforeEach(() => {
    sent.length = 0
    globalThis.visualViewport ??= new EventTarget() as VisualViewport
    answer('/inbox', page())
  })
  afterEach(() => {
    close()
    server.resetHandlers()
    document.body.innerHTML = ''
  })
  afterAll(() => server.close())

  test('lies over the Inbox and shows what would start, labels, path, and what is accepted', async () => {
    answers('preview', { body: preview })
    const shown = await open(LINK)
    await sees(shown, 'Inbox')
    await says('Quality: run:qa')
    for (const text of ['Quality engineer', 'code only', 'Passes over: plan.', 'feature → new-service'])
      expect(dialog()).toContain(text)
    expect(dialog()).toContain('accepts pull request #7')
    expect([...document.querySelectorAll('.sw-dialog ins')].map((one) => one.textContent?.trim())).toEqual([
      '+run:qa',
      '+state:approved',
    ])
    expect(document.querySelector('.sw-dialog del')?.textContent).toContain('state:in-review')
    expect(sent).toEqual([])
  })

  test('executes what was previewed, with a key, and then goes to the run', async () => {
    answers('preview', { body: preview })
    answers('execute', { status: 202, body: { ...preview, run_id: 'r9', run_number: 9, effect_ids: [] } })
    answer('/runs/r9', { code: 'not_found', status: 404 }, 404)
    const shown = await open(LINK)
    await confirmed(shown)
    expect(sent[0]!.body).toMatchObject({
      target_label: 'run:qa',
      expected_labels_hash: 'h1',
      issue_number: 12,
    })
    expect(sent[0]!.key).toMatch(/^[0-9a-f-]{36}$/)
    await vi.waitFor(() => expect(shown.router.currentRoute.value.path).toBe('/runs/r9'), SOON)
  })

  test('a refusal has its reason and remedy, and nothing to confirm', async () => {
    const refused = {
      verdict: 'refuse',
      reason: 'issue_blocked',
      reason_text: 'The issue is blocked by `state:blocked`.',
      remedy_text: 'Take the label off.',
      conflicting_labels: ['state:blocked'],
      run: null,
    }
    answers('preview', { body: { ...preview, ...refused } })
    await open(LINK)
    await says('Take the label off.')
    expect(document.querySelector('.sw-dialog .sw-warning code')?.textContent).toBe('state:blocked')
    expect(button('Start qa')).toBeUndefined()
  })

  test('labels that changed meanwhile are shown, and the step is previewed anew before it can be taken', async () => {
    const second = {
      ...preview,
      final_labels: ['bug', 'urgent', 'run:qa', 'state:approved'],
      expected_labels_hash: 'h2',
    }
    answers('preview', { body: preview }, { body: second })
    answers('execute', { status: 409, body: { code: 'labels_changed', status: 409 } })
    const shown = await open(LINK)
    await confirmed(shown)
    await says('Somebody changed the labels meanwhile')
    expect(document.querySelector('.sw-dialog .sw-warning ins')?.textContent).toContain('urgent')
    expect(shown.router.currentRoute.value.path).toBe('/next-step')
    button('Start qa')!.click()
    await vi.waitFor(() => expect(sent).toHaveLength(2), SOON)
    expect(sent[1]!.body.expected_labels_hash).toBe('h2')
    expect(sent[1]!.key).not.toBe(sent[0]!.key)
  })

  test('a refusal at the execution is told in the reader’s words', async () => {
    answers('preview', { body: preview })
    const params = {
      reason: 'run_already_active',
      reason_text: 'The run `run-0042` is at work.',
      remedy_text: 'Wait.',
    }
    answers('execute', { status: 409, body: { code: 'run.already_active', status: 409, params } })
    const shown = await open(LINK)
    await confirmed(shown)
    await says('is at work.')
    expect(shown.router.currentRoute.value.path).toBe('/next-step')
  })

  test('an outage during the execution says so; trying again keeps the intent’s key', async () => {
    answers('preview', { body: preview })
    answers('execute', { status: 503, body: { code: 'unavailable', status: 503, request_id: 'q-503' } })
    const shown = await open(LINK)
    await confirmed(shown)
    await says('q-503')
    button('Start qa')!.click()
    await vi.waitFor(() => expect(sent).toHaveLength(2), SOON)
    expect(sent[1]!.key).toBe(sent[0]!.key)
  })

  test.each([
    [403, { code: 'permission_denied', params: { permission: 'run.start', project_id: 'p1' } }, 'start runs'],
    [404, { code: 'repository.not_found' }, 'There is nothing here'],
  ])('%d: says what is missing', async (status, body, text) => {
    answers('preview', { status, body: { status, ...body } })
    await open(LINK)
    await says(text)
    expect(button('Start qa')).toBeUndefined()
  })

  test('an error has its request and a way to try again', async () => {
    answers(
      'preview',
      { status: 500, body: { code: 'internal', status: 500, request_id: 'q-500' } },
      { body: preview },
    )
    await open(LINK)
    await says('q-500')
    button('Try again')!.click()
    await says('Quality: run:qa')
  })

  test('a link that is not complete names what is missing and asks nothing', async () => {
    await open('/next-step?issue_number=12')
    await says('repository_full_name')
    expect(dialog()).toContain('target_label')
    expect(dialog()).not.toContain('issue_number')
  })
})
