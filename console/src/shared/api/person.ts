// Who is signed in, what the server offers, and the person's preferences. Server data of screens never comes in here.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { api, ok, send, useCsrf } from './client'
import type { Me, Meta } from './types'

export type Theme = 'light' | 'dark' | 'system'
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

  /** Keep a setting with the account; the newest version of mine is what it changes. */
  async function save(change: { locale?: string; zone?: string }): Promise<void> {
    const version = me.value?.version
    if (version === undefined) return
    const answer = await ok(
      api.PATCH('/api/v1/me', { params: { header: { 'If-Match': `"${version}"` } } as never, body: change }),
    )
    me.value = { ...answer, csrf: me.value?.csrf ?? answer.csrf }
  }

  function setTheme(value: Theme): void {
    theme.value = value
    localStorage.setItem(THEME, value)
  }
  function setZone(value: string): void {
    zone.value = value
    localStorage.setItem(ZONE, value)
  }
  return { entered, me, meta, theme, zone, load, forget, active, save, has, setTheme, setZone }
})
