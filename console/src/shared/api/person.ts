// Who is signed in, what the server offers, and the person's preferences. Server data of screens never comes in here.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { LOCALES, setLocale, type Locale } from '../i18n'
import { setLetters } from '../ui/useHotkeys'
import { api, ok, send, useCsrf } from './client'
import { Problem } from './problem'
import type { Me, Meta } from './types'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
/** What a person chose, kept with the account so that another browser knows it; this browser keeps a copy. */
export interface Preferences {
  locale?: Locale
  zone?: string
  theme?: Theme
  letters?: boolean
  follow?: boolean
  logTimes?: 'off' | 'relative' | 'absolute'
  logRows?: 'dense' | 'comfortable'
}
interface Change {
  locale?: string
  zone?: string
  preferences?: Preferences
}
const THEME = 'stagewright.theme'
const ZONE = 'stagewright.zone'
const RENEW_EVERY = 5 * 60_000

export const usePerson = defineStore('person', () => {
  const me = shallowRef<Me | null>(null)
  const meta = shallowRef<Meta | null>(null)
  /** The screens are there: what may be shown around a page is known. */
  const entered = ref(false)
  const theme = ref<Theme>((localStorage.getItem(THEME) as Theme | null) ?? 'system')
  const zone = ref(localStorage.getItem(ZONE) ?? '')
  let loading: Promise<void> | null = null
  let renewedAt = 0

  /** Load who I am and what there is, once; throws the problem of an unknown person. */
  function load(): Promise<void> {
    loading ??= (async () => {
      const [who, what] = await Promise.all([
        send<Me>('GET', '/api/v1/me'),
        send<Meta>('GET', '/api/v1/meta'),
      ])
      ;[me.value, meta.value] = [who, what]
      renewedAt = Date.now()
      useCsrf(who.csrf)
    })().catch((error: unknown) => {
      loading = null
      throw error
    })
    return loading
  }
  /** Forget the person, e.g. after signing out. */
  function forget(): void {
    ;[me.value, meta.value, loading] = [null, null, null]
    useCsrf(null)
  }
  /** Input of the person keeps the session alive: at most every five minutes. */
  function active(): void {
    if (me.value === null || Date.now() - renewedAt < RENEW_EVERY) return
    renewedAt = Date.now()
    void send<Me>('GET', '/api/v1/me').then(
      (who) => {
        me.value = who
        useCsrf(who.csrf)
      },
      () => undefined,
    )
  }
  const has = (feature: string) => meta.value?.features.includes(feature) ?? false

  const preferences = (): Preferences => (me.value?.preferences ?? {}) as Preferences
  let saving: Promise<void> = Promise.resolve()

  /** Keep a setting with the account, one after the other: each changes the newest version of mine. */
  function save(change: Change): Promise<void> {
    saving = saving.then(() => patch(change)).catch(() => undefined)
    return saving
  }
  async function patch(change: Change, again = true): Promise<void> {
    const version = me.value?.version
    if (version === undefined) return
    try {
      const answer = await ok(
        api.PATCH('/api/v1/me', {
          params: { header: { 'If-Match': `"${version}"` } } as never,
          body: change as never,
        }),
      )
      me.value = { ...answer, csrf: me.value?.csrf ?? answer.csrf }
    } catch (error) {
      if (!again || !(error instanceof Problem) || error.status !== 412) throw error
      me.value = await send<Me>('GET', '/api/v1/me')
      await patch(change, false)
    }
  }
  /** Take over what the account knows of my choices; what was never chosen stays as this browser has it. */
  async function adopt(): Promise<void> {
    const chosen = preferences()
    if (chosen.theme && THEMES.includes(chosen.theme)) keepTheme(chosen.theme)
    if (chosen.zone !== undefined) keepZone(chosen.zone)
    if (chosen.letters !== undefined) setLetters(chosen.letters)
    if (chosen.locale && LOCALES.includes(chosen.locale)) await setLocale(chosen.locale)
  }
  function prefer(change: Preferences): Promise<void> {
    if (me.value) me.value = { ...me.value, preferences: { ...me.value.preferences, ...change } }
    return save({ preferences: change })
  }

  function keepTheme(value: Theme): void {
    theme.value = value
    localStorage.setItem(THEME, value)
  }
  function keepZone(value: string): void {
    zone.value = value
    localStorage.setItem(ZONE, value)
  }
  function setTheme(value: Theme): Promise<void> {
    keepTheme(value)
    return prefer({ theme: value })
  }
  /** Show times in `value`; empty is the browser's own zone. */
  async function setZone(value: string): Promise<void> {
    keepZone(value)
    await save({ zone: value || 'UTC', preferences: { zone: value } })
  }
  async function setLanguage(value: Locale): Promise<void> {
    await setLocale(value)
    await save({ locale: value, preferences: { locale: value } })
  }
  function setKeys(on: boolean): Promise<void> {
    setLetters(on)
    return prefer({ letters: on })
  }
  return {
    entered,
    me,
    meta,
    theme,
    zone,
    load,
    forget,
    active,
    adopt,
    has,
    preferences,
    prefer,
    setTheme,
    setZone,
    setLanguage,
    setKeys,
  }
})
