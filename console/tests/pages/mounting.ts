// Shows a page as the console does: its route, words, person and cache, without a live connection.
import { type QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { expect, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter, RouterView, type Router } from 'vue-router'
import { VApp } from 'vuetify/components'
import { registerWords } from '@/app/areas'
import LostPage from '@/app/pages/LostPage.vue'
import { makeQueries } from '@/app/queries'
import { offeredRoutes } from '@/app/screens'
import { makeVuetify } from '@/app/vuetify'
import { usePerson } from '@/shared/api/person'
import type { Me, Meta } from '@/shared/api/types'
import { i18n, loadArea } from '@/shared/i18n'
import { link, mux } from '@/shared/realtime/link'

const ENUMS = {
  run_status: ['queued', 'running', 'failed'],
  incident_level: ['error'],
  incident_state: ['open'],
}
const me = {
  id: 'me',
  role: 'owner',
  display_name: 'Ann',
  email: 'ann@x.test',
  memberships: [],
  permissions: [],
}
registerWords()

export const SOON = { timeout: 5000, interval: 10 }
export interface Shown {
  wrapper: VueWrapper
  router: Router
  queries: QueryClient
  text: () => string
}
let shown: Shown | null = null

/** Open `path` of a console whose server offers everything but `missing`. */
export async function open(path: string, missing: readonly string[] = []): Promise<Shown> {
  close()
  const pinia = createPinia()
  setActivePinia(pinia)
  const person = usePerson()
  person.me = { ...me, preferences: {}, scopes: [], version: 1 } as unknown as Me
  person.meta = { features: [], enums: ENUMS } as unknown as Meta
  const has = (feature: string) => !missing.includes(feature)
  person.has = has
  link.value = { ...link.value, link: 'polling' }
  const routes = [
    ...offeredRoutes({ has } as unknown as ReturnType<typeof usePerson>),
    { path: '/:path(.*)*', name: 'lost', component: LostPage },
  ]
  const router = createRouter({ history: createMemoryHistory(), routes })
  router.beforeEach(async (to) => void (to.meta.area && (await loadArea(to.meta.area, 'en'))))
  await loadArea('app', 'en')
  await router.push(path)
  const queries = makeQueries()
  queries.setDefaultOptions({ queries: { ...queries.getDefaultOptions().queries, retryDelay: 0 } })
  const wrapper = mount(defineComponent({ setup: () => () => h(VApp, () => h(RouterView)) }), {
    attachTo: document.body,
    global: { plugins: [pinia, i18n, router, makeVuetify(), [VueQueryPlugin, { queryClient: queries }]] },
  })
  shown = { wrapper, router, queries, text: () => wrapper.text().replace(/\s+/g, ' ') }
  return shown
}

/** Take the page away. */
export function close(): void {
  shown?.wrapper.unmount()
  shown?.queries.clear()
  link.value = mux.state
  shown = null
}

/** Wait until the page shows `text`. */
export async function sees(page: Shown, text: string): Promise<void> {
  await vi.waitFor(() => expect(page.text()).toContain(text), SOON)
}

/** Load again what the page reads, as the feed would make it. */
export async function reload(page: Shown): Promise<void> {
  const all = page.queries.getQueryCache().findAll({ type: 'all' })
  await Promise.all(
    all.filter((query) => query.state.data !== undefined).map((query) => query.fetch().catch(() => null)),
  )
}
