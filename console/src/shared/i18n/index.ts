// Languages: one lazy chunk per locale and area, our plural rule, the document's language.
import { createI18n, type Composer } from 'vue-i18n'
import { russianPlural } from './plural'
import type { Words } from './pseudo'

export const LOCALES = ['en', 'ru'] as const
export type Locale = (typeof LOCALES)[number]
type Loader = () => Promise<{ default: Record<string, unknown> }>
/** Saved by hand or by a test; see pseudo.ts. */
const PSEUDO = 'xx'
const SAVED = 'stagewright.locale'

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  pluralRules: { ru: russianPlural },
  messages: { en: {}, ru: {} },
  missingWarn: false,
  fallbackWarn: false,
})

const words = i18n.global as unknown as Composer
const loaders = new Map<string, Record<string, Loader>>()
const asked = new Set<string>()
const done = new Map<string, Promise<void>>()

/** Tell where the words of an area are; they are loaded when the area is opened. */
export function registerArea(area: string, byLocale: Record<string, Loader>): void {
  loaders.set(area, byLocale)
}

/** Load the words of `area` in the present language. */
export function loadArea(area: string, locale: string = words.locale.value): Promise<void> {
  asked.add(area)
  const name = `${area} ${locale}`
  const known = done.get(name)
  if (known) return known
  const load = loaders.get(area)?.[locale === PSEUDO ? 'en' : locale]
  const loading = load
    ? load().then(async ({ default: found }) =>
        words.mergeLocaleMessage(locale, locale === PSEUDO ? await longer(found) : found),
      )
    : Promise.resolve()
  done.set(name, loading)
  return loading
}

async function longer(found: Record<string, unknown>): Promise<Words> {
  return (await import('./pseudo')).pseudo(found as Words)
}

/** Return the language to begin with: the person's setting, the saved one, the browser's, the installation's. */
export function chooseLocale(...wishes: (string | null | undefined)[]): Locale {
  if (localStorage.getItem(SAVED) === PSEUDO) return PSEUDO as Locale
  const all = [...wishes, localStorage.getItem(SAVED), ...navigator.languages]
  const found = all.map((wish) => wish?.slice(0, 2)).find((wish) => LOCALES.includes(wish as Locale))
  return (found as Locale | undefined) ?? 'en'
}

/** Switch to `locale`: load the words of all open areas first, so that nothing flickers. */
export async function setLocale(locale: Locale): Promise<void> {
  await Promise.all([...asked].map((area) => loadArea(area, locale)))
  words.locale.value = locale
  document.documentElement.lang = locale
  localStorage.setItem(SAVED, locale)
}
