// Labels: by class, what a synchronisation would write, what people changed, and what repairs it.
import { http, HttpResponse } from 'msw'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { byClass, changesOf } from '@/features/workflow/labels'
import type { CatalogueLabel, Label } from '@/shared/api/types'
import { asked } from '@/shared/ui/confirm'
import { toast } from '@/shared/ui/toast'
import { close, open, sees, SOON, type Shown } from '../pages/mounting'
import { labels } from '../pages/pages'
import { answer, page, server } from '../pages/server'

const READS = '/projects/p1/repositories/g1/labels'
const plan = (action: string, text: string, known_text: string | null = null) =>
  ({ action, text, known_text }) as Label

test('labels are listed by class in the order of the catalogue', () => {
  const label = (key: string, label_class: string) => ({ key, label_class }) as CatalogueLabel
  const groups = byClass([label('a', 'trigger'), label('b', 'state'), label('c', 'trigger')])
  expect(groups.map(({ name, labels: of }) => [name, of.map((one) => one.key)])).toEqual([
    ['trigger', ['a', 'c']],
    ['state', ['b']],
  ])
})

test('what would be written is told by kind; what stays is not', () => {
  const all = [
    plan('none', 'a'),
    plan('create', 'b'),
    plan('rename', 'c', 'old'),
    plan('update', 'd'),
    plan('create', 'e'),
  ]
  expect(changesOf(all)).toEqual([
    { action: 'create', texts: ['b', 'e'] },
    { action: 'rename', texts: ['old → c'] },
    { action: 'update', texts: ['d'] },
  ])
  expect(changesOf([plan('none', 'a')])).toEqual([])
})

describe('the page', () => {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => {
    close()
    server.resetHandlers()
    toast.value = null
  })
  afterAll(() => server.close())
  const sent: string[] = []
  function syncs(...planned: Label[]): void {
    sent.length = 0
    server.use(
      http.post('http://console.test/api/v1/projects/p1/repositories/:name', ({ request }) => {
        const { searchParams } = new URL(request.url)
        sent.push(`dry_run=${searchParams.get('dry_run')} ${request.headers.has('idempotency-key')}`)
        return HttpResponse.json({ dry_run: true, labels: planned } as never)
      }),
    )
  }
  async function pressed(): Promise<Shown> {
    answer(READS, labels)
    const shown = await open('/labels')
    await sees(shown, 'Sync labels…')
    await shown.wrapper
      .findAll('button')
      .find((one) => one.text() === 'Sync labels…')!
      .trigger('click')
    return shown
  }

  test('opens the first repository, and says how each label differs', async () => {
    answer(READS, labels)
    const shown = await open('/labels')
    await sees(shown, '1 of 2 labels differ')
    for (const text of ['Start a stage', 'Renamed', 'run:test', 'As the policy wants'])
      expect(shown.text()).toContain(text)
    expect(shown.wrapper.find('.sw-label-color').attributes('style')).toContain('#1f6feb')
  })
  test('threads that differ are named with what the next scan does', async () => {
    const item = {
      thread: 7,
      url: 'http://f/7',
      code: 'run_without_trigger',
      label: 'run:dev',
      run_id: 'r1',
      next_scan: 'cancels_run',
    }
    answer(READS, { ...labels, repair: [item] })
    const shown = await open('/labels')
    await sees(shown, 'has a run whose label is gone')
    expect(shown.text()).toContain('the next scan cancels the run')
  })
  test('shows what would be written before it is written', async () => {
    syncs(plan('create', 'run:ops'), plan('rename', 'run:qa', 'run:test'))
    await pressed()
    await vi.waitFor(() => expect(asked.value).not.toBeNull(), SOON)
    expect(asked.value!.question.body).toBe(
      'Creates: run:ops. Renames: run:test → run:qa. Nothing is deleted.',
    )
    expect(sent).toEqual(['dry_run=true true'])
    asked.value!.answer({ reason: '', confirmToken: undefined, confirmName: undefined })
    await vi.waitFor(() => expect(sent).toEqual(['dry_run=true true', 'dry_run=false true']), SOON)
    await vi.waitFor(() => expect(toast.value?.text).toContain('Requested'), SOON)
  })
  test('says so where there is nothing to do', async () => {
    syncs(plan('none', 'run:dev'))
    await pressed()
    await vi.waitFor(() => expect(toast.value?.text).toContain('nothing to do'), SOON)
    expect(asked.value).toBeNull()
    expect(sent).toHaveLength(1)
  })
  test('a project without a repository says how to connect one', async () => {
    answer('/projects/p1/repositories', page())
    await sees(await open('/labels'), 'once a repository is connected')
  })
})

describe('whose labels', () => {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => {
    close()
    server.resetHandlers()
  })
  afterAll(() => server.close())
  const project = (id: string, name: string) => ({ id, name })

  test('the only project is meant without a word', async () => {
    answer(READS, labels as never)
    await sees(await open('/labels'), '1 of 2 labels differ')
  })
  test('of several the person chooses, and the address remembers it', async () => {
    answer('/projects', page(project('p2', 'Blog'), project('p1', 'Shop')))
    answer(READS, labels as never)
    const shown = await open('/labels')
    await sees(shown, 'Choose a project')
    await shown.wrapper
      .findAll('button')
      .find((button) => button.text() === 'Shop')!
      .trigger('click')
    await sees(shown, '1 of 2 labels differ')
    expect(shown.router.currentRoute.value.query.project).toBe('p1')
  })
  test('a repository of another project that is left in the address means nothing', async () => {
    answer('/projects', page(project('p2', 'Blog'), project('p1', 'Shop')))
    answer(READS, labels as never)
    await sees(await open('/labels?project=p1&repository=of-the-blog'), '1 of 2 labels differ')
  })
})
