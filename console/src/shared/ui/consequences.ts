// What an act stops, loses and leaves, in words: the server sends codes and parameters (console.md §7.10).
import { i18n, loadArea, registerArea } from '../i18n'
import type { Preview } from '../api/types'

export type Consequence = Preview['stops'][number]
type Speak = (key: string, values?: Record<string, unknown>, count?: number) => string

const AREA = 'consequences'
/** Parameters that are codes themselves, and where their words are. */
const CODED: Record<string, string> = { role: 'role', before: 'role', status: 'status' }

registerArea(AREA, { en: () => import('./i18n/en.json'), ru: () => import('./i18n/ru.json') })

/** Load the words; they are needed where something is confirmed only. */
export const loadConsequences = () => loadArea(AREA)

/** Return the words for `item`; of a code that we do not know, the code and what came with it. */
export function wordsOf(item: Consequence): string {
  const { t, te } = i18n.global as unknown as { t: Speak; te: (key: string) => boolean }
  const key = `consequence.${item.code}`
  const values: Record<string, unknown> = { ...item.params }
  if (!te(key)) return [item.code, ...Object.values(values)].join(' · ')
  for (const [name, group] of Object.entries(CODED))
    if (name in values && te(`${group}.${values[name]}`)) values[name] = t(`${group}.${values[name]}`)
  const { count } = values
  return typeof count === 'number' ? t(key, values, count) : t(key, values)
}
