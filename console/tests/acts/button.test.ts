// What a row's actions look like: done, refused with the reason, or not there at all.
import { mount } from '@vue/test-utils'
import { beforeEach, expect, test, vi } from 'vitest'
import { createVuetify } from 'vuetify'
import * as components from 'vuetify/components'
import en from '@/app/i18n/en.json'
import { loadProblems } from '@/shared/api/problemWords'
import type { AllowedAction } from '@/shared/api/types'
import { i18n } from '@/shared/i18n'
import ActButton from '@/shared/ui/ActButton.vue'

const shown = (action: Partial<AllowedAction>) =>
  mount(ActButton, {
    props: { actions: [{ verb: 'disable', mode: 'allow', reason_code: null, ...action }], verb: 'disable' },
    slots: { default: 'Disable' },
    global: { plugins: [i18n, createVuetify({ components })] },
  })
beforeEach(async () => {
  i18n.global.mergeLocaleMessage('en', en as never)
  await loadProblems()
})

test('what the server permits can be pressed', async () => {
  const button = shown({})
  await button.get('button').trigger('click')
  expect(button.emitted('act')).toHaveLength(1)
})
test('what it refuses stays visible with the reason, and does nothing', async () => {
  const button = shown({ mode: 'deny', reason_code: 'user.own_role' })
  expect(button.get('button').attributes('aria-disabled')).toBe('true')
  expect(button.get('button').attributes('title')).toBe('Nobody does this to themselves.')
  expect(button.get(`#${button.get('button').attributes('aria-describedby')}`).text()).toContain('Nobody')
  await button.get('button').trigger('click')
  expect(button.emitted('act')).toBeUndefined()
})
test.each([{ mode: 'deny', reason_code: 'already_disabled' } as const, { verb: 'enable' }])(
  'what does not fit the state, or is no act here, is not shown: %o',
  (action) => {
    expect(shown(action).find('button').exists()).toBe(false)
  },
)

test('a reason whose words arrive after the first paint replaces the general words', async () => {
  vi.resetModules() // the words of problems may have been loaded by another test
  const { i18n: fresh } = await import('@/shared/i18n')
  fresh.global.mergeLocaleMessage('en', en as never)
  const { default: Late } = await import('@/shared/ui/ActButton.vue')
  const button = mount(Late, {
    props: { actions: [{ verb: 'disable', mode: 'deny', reason_code: 'user.own_role' }], verb: 'disable' },
    slots: { default: 'Disable' },
    global: { plugins: [fresh, createVuetify({ components })] },
  })
  const why = () => button.get('button').attributes('title')
  expect(why()).toBe(fresh.global.t('problem.other'))
  await vi.waitFor(() => expect(why()).toBe('Nobody does this to themselves.'))
})
