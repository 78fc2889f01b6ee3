import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ATTEMPTS, DRIFTS, LEVELS, lookIn, lookOf, REQUESTS, STATUSES, WAITS } from '@/shared/ui/status'
import { ANSI, contrast, TOKENS } from '@/shared/ui/tokens'

interface Schemas {
  components: { schemas: Record<string, { enum?: string[] }> }
}
const api = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')) as Schemas
const values = (name: string) => api.components.schemas[name]?.enum ?? []
const colors = readFileSync('src/app/colors.css', 'utf8')

describe('status words', () => {
  test.each([
    ['RunStatus', STATUSES],
    ['WaitKind', WAITS],
    ['AttemptStatus', ATTEMPTS],
    ['RequestState', REQUESTS],
    ['Drift', DRIFTS],
    ['Level', LEVELS],
  ])('every value of %s has a look', (name, family) => {
    expect(values(name).length).toBeGreaterThan(0)
    expect(values(name).filter((value) => !(value in family))).toEqual([])
  })
  test('an unknown value is shown raw with a question mark, never as success', () => {
    expect(lookOf('sleeping')).toMatchObject({ word: null, token: 'neutral' })
    expect(lookOf('waiting', 'moon')).toMatchObject({ word: null, token: 'neutral' })
    expect(lookIn(LEVELS, 'odd')).toMatchObject({ word: null })
  })
  test('a wait shows what is waited for, a failure its class', () => {
    expect(lookOf('waiting', 'question')).toMatchObject({ word: 'question', filled: true })
    expect(lookOf('failed', null, 'timeout').word).toBe('timed_out')
    expect(lookOf('failed', null, 'agent').word).toBe('failed_class')
  })
})

describe('contrast', () => {
  test.each(['light', 'dark'] as const)('the %s tokens are readable on their backgrounds', (theme) => {
    const { surface, background, ...tokens } = TOKENS[theme]
    for (const color of Object.values(tokens)) {
      expect(contrast(color, surface)).toBeGreaterThanOrEqual(6)
      expect(contrast(color, background)).toBeGreaterThanOrEqual(6)
    }
  })
  test('all terminal colours are readable on the four backgrounds', () => {
    for (const [light, dark] of ANSI) {
      for (const paper of [TOKENS.light.surface, TOKENS.light.background])
        expect(contrast(light, paper)).toBeGreaterThanOrEqual(4.5)
      for (const paper of [TOKENS.dark.surface, TOKENS.dark.background])
        expect(contrast(dark, paper)).toBeGreaterThanOrEqual(4.5)
    }
  })
  test('the style sheet holds the same colours', () => {
    for (const [n, pair] of ANSI.entries())
      for (const color of pair) expect(colors).toContain(`--sw-ansi-${n}: ${color};`)
    for (const theme of ['light', 'dark'] as const) {
      for (const name of ['neutral', 'info', 'warning', 'success', 'error'] as const) {
        expect(colors).toContain(`--sw-${name}: ${TOKENS[theme][name]};`)
      }
    }
  })
})
