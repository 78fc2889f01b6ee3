// The reason of a refused act is loaded with the first one that is shown, and takes the place of the general words.
import { flushPromises, mount } from '@vue/test-utils'
import { expect, test, vi } from 'vitest'
import { createVuetify } from 'vuetify'
import * as components from 'vuetify/components'
import en from '@/app/i18n/en.json'

test('words that come after the first paint are shown', async () => {
  vi.resetModules() // another test may have loaded them
  const { i18n } = await import('@/shared/i18n')
  const { loadProblems } = await import('@/shared/api/problemWords')
  const { default: ActButton } = await import('@/shared/ui/ActButton.vue')
  i18n.global.mergeLocaleMessage('en', en as never)
  const button = mount(ActButton, {
    props: { actions: [{ verb: 'disable', mode: 'deny', reason_code: 'user.own_role' }], verb: 'disable' },
    slots: { default: 'Disable' },
    global: { plugins: [i18n, createVuetify({ components })] },
  })
  expect(button.get('button').attributes('title')).toBe('The server refused this.')
  await loadProblems()
  await flushPromises()
  expect(button.get('button').attributes('title')).toBe('Nobody does this to themselves.')
})
