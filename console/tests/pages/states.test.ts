import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { close, open, reload, sees, SOON } from './mounting'
import { PAGES } from './pages'
import { answer, hold, page, server, unanswered } from './server'

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
afterEach(() => {
  close()
  server.resetHandlers()
  expect(unanswered.splice(0)).toEqual([])
})
afterAll(() => server.close())

const REFUSED = {
  code: 'permission_denied',
  status: 403,
  request_id: 'q-403',
  params: { permission: 'member.manage', project_id: 'p1', project_role: 'admin', grantor: 'project_admin' },
}
const BROKEN = { code: 'internal', status: 500, request_id: 'q-500' }

describe.each(PAGES)('$name', (row) => {
  test('shows a skeleton while it loads, but not for a short moment', async () => {
    const release = hold(row.reads, row.full as never)
    const before = performance.now()
    const shown = await open(row.path)
    expect(shown.wrapper.find('.sw-skeleton').exists()).toBe(false)
    await vi.waitFor(() => expect(shown.wrapper.find('.sw-skeleton').exists()).toBe(true), SOON)
    expect(performance.now() - before).toBeGreaterThan(140)
    release()
    await sees(shown, row.shows)
    expect(shown.wrapper.find('.sw-skeleton').exists()).toBe(false)
  })
  test('forbidden is not empty: it says what is missing, where, and who can grant it', async () => {
    answer(row.reads, REFUSED, 403)
    const shown = await open(row.path)
    await sees(shown, 'manage members')
    await sees(shown, 'An administrator of the project can grant it')
    if (row.reads !== '/projects') await sees(shown, 'Shop')
    if (row.empty) expect(shown.text()).not.toContain(row.empty)
  })
  test('not found says so', async () => {
    answer(row.reads, { code: 'not_found', status: 404 }, 404)
    await sees(await open(row.path), 'There is nothing here')
  })
  test('an error has its request and a way to try again', async () => {
    answer(row.reads, BROKEN, 500)
    const shown = await open(row.path)
    await sees(shown, 'q-500')
    answer(row.reads, row.full as never)
    const again = shown.wrapper.findAll('button').find((button) => button.text() === 'Try again')!
    await again.trigger('click')
    await sees(shown, row.shows)
    expect(shown.text()).not.toContain('q-500')
  })
  test('an error keeps the data that is there, greyed, with its age', async () => {
    answer(row.reads, row.full as never)
    const shown = await open(row.path)
    await sees(shown, row.shows)
    answer(row.reads, BROKEN, 500)
    await reload(shown)
    await sees(shown, 'q-500')
    expect(shown.text()).toContain(row.shows)
    expect(shown.text()).toMatch(/As of \d\d:\d\d:\d\d/)
    expect(shown.wrapper.find('.sw-stale').exists()).toBe(true)
  })
})

describe.each(PAGES.filter((row) => row.empty))('$name', (row) => {
  test('says what would appear here where there is nothing', async () => {
    answer(row.reads, page())
    await sees(await open(row.path), row.empty!)
  })
})

describe.each(PAGES.filter((row) => row.filter))('$name', (row) => {
  test('names the filters that hide everything; each can be removed, or all', async () => {
    answer(row.reads, page())
    const shown = await open(`${row.path}?${row.filter}&keep=1`)
    await sees(shown, 'Nothing matches')
    const count = new URLSearchParams(row.filter).size
    expect(shown.wrapper.findAll('.sw-empty .sw-tag')).toHaveLength(count)
    await shown.wrapper.find('.sw-empty .sw-tag').trigger('click')
    await vi.waitFor(() => expect(Object.keys(shown.router.currentRoute.value.query)).toHaveLength(count))
    await shown.router.push(`${row.path}?${row.filter}&keep=1`)
    const clear = shown.wrapper.findAll('button').find((button) => button.text() === 'Clear filters')!
    await clear.trigger('click')
    await vi.waitFor(() => expect(shown.router.currentRoute.value.query).toEqual({ keep: '1' }))
    await sees(shown, row.empty!)
  })
})

test('a part of a page that cannot be loaded fails alone', async () => {
  const row = PAGES.find((one) => one.name === 'run')!
  answer(row.reads, row.full as never)
  answer('/runs/r1/events', BROKEN, 500)
  const shown = await open(row.path)
  await sees(shown, 'q-500')
  expect(shown.text()).toContain(row.shows)
  expect(shown.wrapper.findAll('[role=tab]').length).toBeGreaterThan(2)
  expect(shown.wrapper.find('main > .sw-stale, .sw-stale .sw-tabs').exists()).toBe(false)
})

test('the arrow keys move over the tabs, and the address knows the tab', async () => {
  const row = PAGES.find((one) => one.name === 'project')!
  answer(row.reads, row.full as never)
  answer('/projects/p1/repositories', page())
  answer('/projects/p1/members', page())
  const shown = await open(row.path)
  await sees(shown, row.shows)
  const selected = () => shown.wrapper.find('[role=tab][aria-selected=true]')
  const press = async (key: string) => {
    await selected().trigger('keydown', { key })
    await vi.waitFor(() => expect(document.activeElement).toBe(selected().element))
  }
  await press('ArrowRight')
  expect(shown.router.currentRoute.value.query.tab).toBe('repositories')
  await press('End')
  const last = shown.wrapper.findAll('[role=tab]').at(-1)!
  expect(`tab-${String(shown.router.currentRoute.value.query.tab)}`).toBe(last.attributes('id'))
  await press('ArrowRight')
  expect(shown.router.currentRoute.value.query.tab).toBeUndefined()
  expect(shown.wrapper.findAll('[role=tab][tabindex="0"]')).toHaveLength(1)
})

test('a screen that is not for this person says what is missing; an unknown address is not there', async () => {
  answer(
    '/users',
    { ...REFUSED, params: { permission: 'user.manage', platform_role: 'admin', grantor: 'owner' } },
    403,
  )
  const shown = await open('/users', ['users'])
  await sees(shown, 'manage users')
  await sees(shown, 'The owner of this installation can grant it')
  await shown.router.push('/nowhere')
  await sees(shown, 'There is no such page')
})
