// What a person may answer to a wait, here in the console. Pure.
import type { OpenWait, Wait } from '@/shared/api/types'
import { permits } from '../acts'

/** What a wait asks: the question of a report, or which of some choices. */
export type AskedWait = Pick<OpenWait, 'id' | 'run_number' | 'question' | 'answers'>

const WORDS = 'answer'
const CHOICES = ['extend_25', 'extend_100', 'finish', 'stop']

/** Say how it is answered: in words, by a choice, or not by either. */
export function actOf({ answers }: Pick<AskedWait, 'answers'>): 'answer' | 'resolve' | null {
  if (answers.some(({ answer }) => answer === WORDS)) return 'answer'
  return answers.some(({ answer }) => CHOICES.includes(answer)) ? 'resolve' : null
}

/** Return the first open wait that I may answer; a frame of the feed has no answers yet. */
export function answerable<W extends AskedWait & Pick<Wait, 'status' | 'allowed_actions'>>(
  waits: readonly W[],
): W | null {
  const may = (wait: W) => permits(wait, actOf(wait) ?? '')
  return waits.find((wait) => wait.status === 'open' && wait.answers && may(wait)) ?? null
}
