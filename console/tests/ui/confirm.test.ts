// The confirmation dialog: nothing is agreed to before the server's preview, a reason and the name are there.
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createVuetify } from 'vuetify'
import * as components from 'vuetify/components'
import en from '@/app/i18n/en.json'
import ru from '@/app/i18n/ru.json'
import { i18n, setLocale } from '@/shared/i18n'
import { Problem } from '@/shared/api/problem'
import type { Preview } from '@/shared/api/types'
import { asked, confirm, type Consent, type Question } from '@/shared/ui/confirm'
import { loadConsequences } from '@/shared/ui/consequences'
import ConfirmDialog from '@/shared/ui/ConfirmDialog.vue'

const preview: Preview = {
  stops: [{ code: 'run.workload_stops', params: { workload: 'sw-1', count: 30 } }],
  lost: [{ code: 'member.role_lost', params: { role: 'read_write' } }],
  survives: [{ code: 'run.flies', params: { to: 'Mars' } }],
  confirm_token: 'token',
  expires_at: '',
}
let answer: Consent | null | undefined

async function ask(question: Partial<Question>) {
  const wrapper = mount(ConfirmDialog, {
    attachTo: document.body,
    global: { plugins: [i18n, createVuetify({ components })] },
  })
  answer = undefined
  void confirm({ tier: 1, title: 'Cancel run-0007', verb: 'Cancel it', ...question }).then(
    (given) => (answer = given),
  )
  await flushPromises()
  const find = (text: string) =>
    [...document.querySelectorAll('button')].find(
      (button) => button.textContent?.trim() === text,
    ) as HTMLButtonElement
  const type = async (label: string, value: string) => {
    expect(document.body.textContent).toContain(label)
    const input = document.querySelector<HTMLInputElement>('.sw-dialog textarea, .sw-dialog input')!
    input.value = value
    input.dispatchEvent(new Event('input'))
    await flushPromises()
  }
  return { wrapper, find, type }
}

beforeEach(async () => {
  await loadConsequences()
  i18n.global.mergeLocaleMessage('en', en as never)
  globalThis.visualViewport ??= new EventTarget() as VisualViewport
})
afterEach(async () => {
  await setLocale('en')
  asked.value = null
  vi.useRealTimers()
  document.body.innerHTML = ''
})

describe('confirmation', () => {
  test('the words of a preview are of the language of the page', async () => {
    i18n.global.mergeLocaleMessage('ru', ru as never)
    await setLocale('ru')
    const { wrapper } = await ask({ tier: 2, preview: () => Promise.resolve(preview) })
    expect(document.body.textContent).toContain('Рабочая нагрузка sw-1: через 30 секунд, чтобы')
    expect(document.body.textContent).toContain('Права роли «Читает и пишет»')
    await setLocale('en')
    await flushPromises()
    expect(document.body.textContent).toContain('The workload sw-1, after 30 seconds')
    wrapper.unmount()
  })

  test('T1 asks with the verb on the button; stepping back is no', async () => {
    const { find, wrapper } = await ask({})
    expect(find('Cancel it').disabled).toBe(false)
    find('Back').click()
    await flushPromises()
    expect(answer).toBeNull()
    wrapper.unmount()
  })

  test('T2 shows what would happen and needs a reason; the consent carries the token', async () => {
    const { find, type, wrapper } = await ask({
      tier: 2,
      preview: () => Promise.resolve(preview),
      reason: true,
    })
    expect(document.body.textContent).toContain('The workload sw-1, after 30 seconds')
    expect(document.body.textContent).toContain('The rights of the role “Reads and writes”')
    expect(document.body.textContent).toContain('run.flies · Mars')
    expect(find('Cancel it').disabled).toBe(true)
    await type('Reason', 'by mistake')
    find('Cancel it').click()
    await flushPromises()
    expect(answer).toEqual({ reason: 'by mistake', confirmToken: 'token', confirmName: undefined })
    wrapper.unmount()
  })

  test('T2 without a preview is not agreed to, and says what is wrong', async () => {
    const { find, wrapper } = await ask({
      tier: 2,
      preview: () => Promise.reject(new Problem(409, { code: 'run_publishing' })),
    })
    expect(document.body.textContent).toContain('too late to cancel')
    expect(find('Cancel it').disabled).toBe(true)
    wrapper.unmount()
  })

  test('T3 needs the exact name, and two seconds after the preview', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { find, type, wrapper } = await ask({
      tier: 3,
      preview: () => Promise.resolve(preview),
      name: 'shop',
    })
    await type('Type shop', 'shop')
    expect(find('Cancel it').disabled).toBe(true)
    await vi.advanceTimersByTimeAsync(2100)
    await flushPromises()
    expect(find('Cancel it').disabled).toBe(false)
    await type('Type shop', 'shopping')
    expect(find('Cancel it').disabled).toBe(true)
    wrapper.unmount()
  })
})
