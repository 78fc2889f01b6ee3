import { describe, expect, test } from 'vitest'
import { openedFirst, sectionsOf } from '@/features/runs/attempts'
import type { Attempt } from '@/shared/api/types'

const attempt = (generation: number, outcome: string | null = null) => ({ generation, outcome }) as Attempt

describe('sections by attempt', () => {
  test('there is one for each, known or not', () => {
    const known = attempt(2)
    expect(sectionsOf(3, [known])).toEqual([
      { generation: 1, attempt: undefined },
      { generation: 2, attempt: known },
      { generation: 3, attempt: undefined },
    ])
  })
  test.each([
    [false, [attempt(1, 'lost'), attempt(2)], null],
    [true, [attempt(1, 'parked'), attempt(2, 'agent_failed')], null],
    [true, [attempt(1, 'agent_failed'), attempt(2, 'parked')], 1],
    [true, [attempt(1, 'lost'), attempt(2, 'lost'), attempt(3, 'interrupted')], 2],
    [true, [], null],
  ])('failed %s: the attempt that failed is open, else the newest', (failed, attempts, open) =>
    expect(openedFirst(failed, attempts)).toBe(open),
  )
})
