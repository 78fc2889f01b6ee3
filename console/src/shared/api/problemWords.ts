// Words for the codes of problems (docs/problems.md): an area of its own, loaded with the first problem that is shown.
import { loadArea, registerArea } from '../i18n'

const AREA = 'problems'
registerArea(AREA, { en: () => import('./i18n/en.json'), ru: () => import('./i18n/ru.json') })

export const loadProblems = (locale?: string) => loadArea(AREA, locale)

/** Return the key of a code's words. */
export const problemKey = (code: string) => `problem.${code.replaceAll('.', '_')}`
