// The track of steps: icon, word and duration of each; what only an icon would say is written.
import { mount } from '@vue/test-utils'
import { beforeAll, expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { createMemoryHistory, createRouter } from 'vue-router'
import { registerWords } from '@/app/areas'
import { i18n, loadArea } from '@/shared/i18n'
import type { Step } from '@/shared/ui/steps'
import StepTrack from '@/shared/ui/StepTrack.vue'

const STATES: Step['state'][] = ['done', 'current', 'next', 'ahead', 'skipped', 'blocked', 'failed']
const router = createRouter({
  history: createMemoryHistory(),
  routes: [{ path: '/runs/:id', name: 'run', component: { template: '<i />' } }],
})
const show = (steps: Step[]) =>
  mount(StepTrack, { props: { steps, label: 'Stages' }, global: { plugins: [i18n, router] } })

beforeAll(async () => {
  registerWords()
  await loadArea('app', 'en')
})

test('is an ordered list with one icon of its own for every state', () => {
  const track = show(STATES.map((state) => ({ name: state, word: state, state })))
  expect(track.find('ol').attributes('aria-label')).toBe('Stages')
  const icons = track.findAll('li path').map((path) => path.attributes('d'))
  expect(new Set(icons).size).toBe(STATES.length)
  expect(track.findAll('svg').every((svg) => svg.attributes('aria-hidden') === 'true')).toBe(true)
})

test('says the state of every step; next, skipped and blocked are written out', () => {
  const track = show(STATES.map((state) => ({ name: state, word: 'dev', state })))
  const said = track.findAll('li').map((li) => li.text())
  expect(said.every((text) => text.startsWith('dev') && text.length > 'dev'.length)).toBe(true)
  const written = track.findAll('.sw-step-word').map((word) => word.text())
  expect(written).toEqual(['next', 'skipped', 'blocked'])
})

test('marks the step that it is about, and nothing else', () => {
  const track = show([
    { name: 'plan', word: 'plan', state: 'done' },
    { name: 'dev', word: 'dev', state: 'current', here: true },
  ])
  expect(track.findAll('li').map((li) => li.attributes('aria-current'))).toEqual([undefined, 'step'])
})

test('shows how long a step took, where it leads, and a break in it', () => {
  const track = show([
    {
      name: 'dev',
      word: 'dev',
      state: 'done',
      from: '2026-01-01T00:00:00Z',
      until: '2026-01-01T00:02:05Z',
      to: { name: 'run', params: { id: 'r1' } },
      note: 'waited 1 h',
    },
    { name: 'qa', word: 'qa', state: 'next', from: null },
  ])
  const [dev, qa] = track.findAll('li')
  expect(dev!.text()).toContain('2 min 5 s')
  expect(dev!.text()).toContain('waited 1 h')
  expect(dev!.find('a').attributes('href')).toBe('/runs/r1')
  expect(qa!.find('a').exists()).toBe(false)
  expect(qa!.text()).not.toContain('—')
})

test('lies from 960 px on and stands below', () => {
  const css = readFileSync(`${process.cwd()}/src/app/styles/details.css`, 'utf8')
  expect(css).toMatch(/@media \(max-width: 959px\) \{\s*\.sw-track \{\s*flex-direction: column/)
})
