import { VueQueryPlugin } from '@tanstack/vue-query'
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, expect, test, vi } from 'vitest'
import { defineComponent } from 'vue'
import { shownItems, subjectOf, targetOf } from '@/features/overview/inbox'
import { useInbox } from '@/features/overview/useInbox'
import { MUTES, useHandling } from '@/features/incidents/useHandling'
import { usePerson } from '@/shared/api/person'
import type { InboxItem, Incident, Me } from '@/shared/api/types'
import { i18n } from '@/shared/i18n'
import { toast } from '@/shared/ui/toast'
import { agree, inPage, serve } from './fakes'

const item = (id: string, snoozed_until: string | null = null) => ({ id, snoozed_until }) as InboxItem
const LATER = '2026-03-01T13:00:00Z'

afterEach(() => {
  vi.unstubAllGlobals()
  toast.value = null
})

test('the two views of the inbox share nothing', () => {
  const items = [item('a'), item('b', LATER)]
  expect(shownItems(items, false).map((one) => one.id)).toEqual(['a'])
  expect(shownItems(items, true).map((one) => one.id)).toEqual(['b'])
})

test.each([
  ['wait.target.run.start', { name: 'approval', params: { id: 'a1' } }],
  ['wait.target.result.publish', { name: 'approval', params: { id: 'a1' } }],
  ['wait.target.request', { name: 'run', params: { id: 'r1' } }],
])('%s leads to where it is decided', (why, target) => {
  const waiting = {
    ...item('a'),
    kind: 'approval',
    why,
    params: { target: 'a1' },
    run_id: 'r1',
  } as unknown as InboxItem
  expect(targetOf(waiting)).toEqual(target)
  expect(subjectOf(waiting)).toBe(why.slice('wait.target.'.length))
})

async function inbox(snoozed: boolean) {
  setActivePinia(createPinia())
  usePerson().me = { id: 'me' } as Me
  let made!: ReturnType<typeof useInbox>
  const wrapper = mount(
    defineComponent({
      setup() {
        made = useInbox(snoozed)
        return () => null
      },
    }),
    { global: { plugins: [i18n, VueQueryPlugin] } },
  )
  await made.live.reload()
  return { ...made, wrapper }
}

test('putting off takes the item away at once, and undo brings it back here and on the server', async () => {
  const sent = serve((asked) => (asked.method === 'GET' ? { items: [item('a')] } : {}))
  const { items, snooze, wrapper } = await inbox(false)
  expect(items.value).toHaveLength(1)
  await snooze(items.value[0]!, LATER)
  expect(items.value).toHaveLength(0)
  toast.value!.undo!()
  await flushPromises()
  expect(items.value).toHaveLength(1)
  const bodies = sent.filter((one) => one.method === 'POST').map((one) => one.body)
  expect(bodies).toEqual([{ until: LATER }, { until: null }])
  wrapper.unmount()
})

test('what was put off is asked for by its own view and can be taken back now', async () => {
  const sent = serve((asked) => (asked.method === 'GET' ? { items: [item('a', LATER)] } : {}))
  const { items, snooze, wrapper } = await inbox(true)
  expect(sent[0]!.query).toContain('snoozed=true')
  await snooze(items.value[0]!, null)
  expect(items.value).toHaveLength(0)
  toast.value!.undo!()
  await flushPromises()
  expect(items.value).toHaveLength(1)
  wrapper.unmount()
})

test('a refused put-off stays where it was, and says so', async () => {
  serve((asked) => (asked.method === 'GET' ? { items: [item('a')] } : new Response('{}', { status: 500 })))
  const { items, snooze, wrapper } = await inbox(false)
  await snooze(items.value[0]!, LATER)
  expect(items.value).toHaveLength(1)
  expect(toast.value?.undo).toBeUndefined()
  wrapper.unmount()
})

const incident = { id: 'e1' } as Incident

test('an error is muted for the chosen time with a reason, and resolved without one', async () => {
  const sent = serve(() => ({ id: 'e1' }))
  let changed = 0
  const { mute, resolve } = inPage(() => useHandling(() => changed++))
  const muted = mute(incident, 'week')
  expect(await agree('known')).toMatchObject({ reason: true })
  await muted
  const resolved = resolve(incident)
  await agree()
  await resolved
  expect(sent.map((one) => [one.path.split(':')[1], one.body])).toEqual([
    ['mute', { hours: MUTES.week, reason: 'known' }],
    ['resolve', { reason: null }],
  ])
  expect(changed).toBe(2)
})

test('seen by me can be taken back, by the note and by the button', async () => {
  const sent = serve(() => ({ id: 'e1' }))
  const { see } = inPage(() => useHandling(() => undefined))
  await see(incident, true)
  toast.value!.undo!()
  await flushPromises()
  await see(incident, false)
  expect(sent.map((one) => one.path.split(':')[1])).toEqual(['view', 'unview', 'unview'])
})
