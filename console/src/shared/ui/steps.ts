// A step of a way: of a run's phases, of an issue's stages.
import type { RouteLocationRaw } from 'vue-router'

export interface Step {
  name: string
  word: string
  state: 'done' | 'current' | 'next' | 'ahead' | 'skipped' | 'blocked' | 'failed'
  /** This is the step that the page is about, or that is at work. */
  here?: boolean
  from?: string | null
  until?: string | null
  /** Where what happened in the step is shown. */
  to?: RouteLocationRaw | null
  note?: string | null
}
