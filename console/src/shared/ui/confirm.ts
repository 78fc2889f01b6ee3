// Dangerous actions ask first, in four tiers (console.md §7.7). One dialog for the whole page.
import { shallowRef } from 'vue'
import type { Preview } from '../api/types'

export interface Question {
  tier: 1 | 2 | 3
  title: string
  body?: string
  verb: string
  /** The act ends nothing: its button is no warning. */
  gentle?: boolean
  /** What the server says would stop, be lost and survive (tiers 2 and 3). */
  preview?: () => Promise<Preview>
  /** Ask for a reason; it is kept in the journal. */
  reason?: boolean
  /** The exact name to type (tier 3). */
  name?: string
}

export interface Consent {
  reason: string
  confirmToken: string | undefined
  confirmName: string | undefined
}

interface Open {
  question: Question
  answer: (consent: Consent | null) => void
}

export const asked = shallowRef<Open | null>(null)

/** Ask the person; null means they stepped back. */
export function confirm(question: Question): Promise<Consent | null> {
  asked.value?.answer(null)
  return new Promise((resolve) => {
    asked.value = {
      question,
      answer: (consent) => {
        asked.value = null
        resolve(consent)
      },
    }
  })
}
