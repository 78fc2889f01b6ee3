// The words of answering waits: an area of its own, for it is done on pages of several features.
import { loadArea, registerArea } from '@/shared/i18n'

const AREA = 'asked'
registerArea(AREA, { en: () => import('./i18n/en.json'), ru: () => import('./i18n/ru.json') })

export const loadAsked = (locale: string) => loadArea(AREA, locale)
