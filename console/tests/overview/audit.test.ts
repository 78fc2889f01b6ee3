import { describe, expect, test } from 'vitest'
import { isNews } from '@/features/overview/audit'

describe('news for the audit', () => {
  test('an entry counts, and of a narrowed list only one of the wanted actions', () => {
    expect(isNews('run.started', [])).toBe(true)
    expect(isNews('run.started', ['run.started', 'run.failed'])).toBe(true)
    expect(isNews('run.started', ['run.failed'])).toBe(false)
  })
  test('that somebody reads it is none', () => {
    expect(isNews('audit.read', [])).toBe(false)
  })
})
