import { createPinia, setActivePinia } from 'pinia'
import { afterEach, expect, test, vi } from 'vitest'
import { usePerson } from '@/shared/api/person'
import type { Me } from '@/shared/api/types'
import { lettersOn, setLetters } from '@/shared/ui/useHotkeys'
import { serve } from './fakes'

function someone(preferences: object = {}) {
  setActivePinia(createPinia())
  const person = usePerson()
  person.me = { id: 'me', version: 3, preferences, csrf: 'c' } as Me
  return person
}
const stored = (body: unknown) => ({ ...(body as object), id: 'me', version: 4 })

afterEach(() => {
  vi.unstubAllGlobals()
  localStorage.clear()
  setLetters(true)
})

test('theme, keys and zone are kept with the account, each over the newest version', async () => {
  let version = 3
  const sent = serve(() => ({ id: 'me', version: ++version, preferences: {} }))
  const person = someone()
  await Promise.all([person.setTheme('dark'), person.setKeys(false), person.setZone('Europe/Moscow')])
  expect(sent.map((one) => one.body)).toEqual([
    { preferences: { theme: 'dark' } },
    { preferences: { letters: false } },
    { zone: 'Europe/Moscow', preferences: { zone: 'Europe/Moscow' } },
  ])
  expect(sent.map((one) => one.headers.get('if-match'))).toEqual(['"3"', '"4"', '"5"'])
  expect([person.theme, person.zone, lettersOn()]).toEqual(['dark', 'Europe/Moscow', false])
  expect(person.me?.csrf).toBe('c')
})

test('another browser takes over what was chosen, and keeps its own where nothing was', async () => {
  const person = someone({ theme: 'light', letters: false })
  person.zone = 'UTC'
  await person.adopt()
  expect([person.theme, lettersOn(), person.zone]).toEqual(['light', false, 'UTC'])
})

test('a change made elsewhere meanwhile is read and mine is applied again', async () => {
  const sent = serve((asked) => {
    if (asked.method === 'GET') return { id: 'me', version: 9, preferences: {} }
    if (asked.headers.get('if-match') === '"3"') return new Response('{}', { status: 412 })
    return stored(asked.body)
  })
  const person = someone()
  await person.prefer({ follow: false })
  expect(sent.map((one) => one.method)).toEqual(['PATCH', 'GET', 'PATCH'])
  expect(sent[2]!.headers.get('if-match')).toBe('"9"')
  expect(person.preferences().follow).toBe(false)
})

test('what cannot be kept with the account holds in this browser', async () => {
  serve(() => new Response('{}', { status: 500 }))
  const person = someone()
  await person.setTheme('dark')
  expect(person.theme).toBe('dark')
  expect(localStorage.getItem('stagewright.theme')).toBe('dark')
})
