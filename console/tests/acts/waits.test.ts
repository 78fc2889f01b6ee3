// Answering a wait: in words or by a choice, from wherever it is shown.
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, expect, test, vi } from 'vitest'
import { createVuetify } from 'vuetify'
import * as components from 'vuetify/components'
import { defineComponent, nextTick } from 'vue'
import { askedBy } from '@/features/overview/inbox'
import type { InboxItem, OpenWait } from '@/shared/api/types'
import { i18n } from '@/shared/i18n'
import { actOf, answerable } from '@/shared/ui/waits/asked'
import WaitButton from '@/shared/ui/waits/WaitButton.vue'
import WaitDialog from '@/shared/ui/waits/WaitDialog.vue'
import { loadAsked } from '@/shared/ui/waits/words'
import { serve } from './fakes'

const answers = (...names: string[]) => names.map((answer) => ({ answer, effect: 'run_resumes' }))
const CHOICES = answers('extend_25', 'extend_100', 'finish', 'stop')
const question = { id: 'w1', run_number: 'run-0001', question: 'Keep both?', answers: answers('answer') }
const budget = { id: 'w2', run_number: 'run-0002', question: null, answers: CHOICES }
/** An overlay needs more of a browser than there is here: what is in it stands in the page. */
const VDialog = defineComponent({
  inheritAttrs: false,
  setup:
    (_, { slots }) =>
    () =>
      slots.default?.(),
})
const global = { plugins: [i18n, createVuetify({ components })], stubs: { VDialog } }

afterEach(() => {
  vi.unstubAllGlobals()
  document.body.innerHTML = ''
})

test.each([
  ['answer', answers('answer')],
  ['resolve', CHOICES],
  [null, answers('retry')],
  [null, answers('approve', 'deny')],
])('%s is how it is answered here', (act, offered) => expect(actOf({ answers: offered })).toBe(act))

test('the first open wait that I may answer is offered; what a frame tells of waits has no answers yet', () => {
  const allowed = [{ verb: 'answer', mode: 'allow', reason_code: null }]
  const open = { ...question, status: 'open', allowed_actions: allowed } as unknown as OpenWait
  const denied = { ...open, allowed_actions: [{ ...allowed[0]!, mode: 'deny' }] } as unknown as OpenWait
  const frame = { id: 'w1', status: 'open' } as unknown as OpenWait
  expect(answerable([{ ...open, status: 'resolved' }, frame, denied, open])).toBe(open)
  expect(answerable([frame, denied])).toBeNull()
})

test('an item of the inbox is answered there when it takes words or a choice', () => {
  const item = { id: 'wait:w1', wait_id: 'w1', run_number: 'run-0001', params: { question: 'Keep both?' } }
  expect(askedBy({ ...item, answers: answers('answer') } as unknown as InboxItem)).toEqual(question)
  expect(askedBy({ ...item, answers: answers('approve') } as unknown as InboxItem)).toBeNull()
  expect(askedBy({ ...item, wait_id: null, answers: CHOICES } as unknown as InboxItem)).toBeNull()
})

test.each([
  [question, 'Answer'],
  [budget, 'Choose'],
])('the button says what is to be done, once its words are there', async (wait, words) => {
  const button = mount(WaitButton, { props: { wait }, global })
  await loadAsked('en')
  await flushPromises()
  expect(button.text()).toBe(words)
  await button.get('button').trigger('click')
  expect(button.emitted('ask')).toEqual([[wait]])
})

async function dialog(wait: typeof question | typeof budget, answer: () => unknown) {
  const sent = serve(answer)
  await loadAsked('en')
  const shown = mount(WaitDialog, { props: { modelValue: wait }, global, attachTo: document.body })
  await vi.waitFor(() => expect(document.querySelector('.sw-dialog form')).not.toBeNull())
  return { sent, shown, form: document.querySelector<HTMLFormElement>('.sw-dialog form')! }
}
const press = async (form: HTMLFormElement) => {
  await nextTick()
  form.dispatchEvent(new Event('submit', { cancelable: true }))
  await flushPromises()
}

test('words are sent as they are written, and the dialog closes with the wait as it is then', async () => {
  const { sent, shown, form } = await dialog(question, () => ({ id: 'w1', status: 'resolved' }))
  expect(document.body.textContent).toContain('Keep both?')
  const area = form.querySelector('textarea')!
  area.value = 'Keep both.'
  area.dispatchEvent(new Event('input'))
  await press(form)
  expect(sent.map(({ path, body }) => [path, body])).toEqual([
    ['/api/v1/waits/w1:answer', { text: 'Keep both.' }],
  ])
  expect(shown.emitted('changed')).toEqual([[{ id: 'w1', status: 'resolved' }]])
  expect(shown.emitted('update:modelValue')).toEqual([[null]])
})

test('a choice is sent by its name; a refusal stays in the dialog', async () => {
  const refused = () => new Response(JSON.stringify({ code: 'wait.closed' }), { status: 409 })
  const { sent, shown, form } = await dialog(budget, refused)
  const radios = [...form.querySelectorAll<HTMLInputElement>('input[type=radio]')]
  expect(radios).toHaveLength(4)
  radios[1]!.checked = true
  radios[1]!.dispatchEvent(new Event('change'))
  await press(form)
  expect(sent[0]).toMatchObject({ path: '/api/v1/waits/w2:resolve', body: { choice: 'extend_100' } })
  expect(shown.emitted('changed')).toBeUndefined()
  expect(document.querySelector('.sw-dialog [role=alert]')).not.toBeNull()
})
