// Routes: who is not signed in goes to the login page; screens are added when the server has said what it offers.
import { createRouter, createWebHistory, type Router } from 'vue-router'
import { Problem } from '@/shared/api/problem'
import { usePerson } from '@/shared/api/person'
import { i18n, loadArea, LOCALES, setLocale, type Locale } from '@/shared/i18n'
import { startLink } from '@/shared/realtime/link'
import type { Scoped } from '@/shared/ui/scope'
import { WIDE } from '@/shared/ui/split'
import { focusPage } from './focus'
import { offeredRoutes } from './screens'

declare module 'vue-router' {
  interface RouteMeta {
    area?: string
    feature?: string
    title?: string
    open?: boolean
    /** The page takes the whole window. */
    full?: boolean
    /** A list and the page of its row are one screen. */
    screen?: string
    /** The page of one row. */
    row?: boolean
    /** What of the console's scope the lists of the page can be narrowed to. */
    scope?: Scoped
  }
}

const HOMES = ['inbox', 'runs', 'projects', 'profile']

const isWide = () => matchMedia(WIDE).matches

/** Make the router. */
export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      {
        path: '/login',
        name: 'login',
        component: () => import('./pages/LoginPage.vue'),
        meta: { open: true, title: 'login.title' },
      },
      {
        path: '/cli-login',
        name: 'consent',
        component: () => import('./pages/ConsentPage.vue'),
        meta: { title: 'consent.title' },
      },
      {
        path: '/:path(.*)*',
        name: 'lost',
        component: () => import('./pages/LostPage.vue'),
        meta: { title: 'state.notFoundTitle' },
      },
    ],
    scrollBehavior: (to, from, saved) => {
      const beside = to.meta.screen !== undefined && to.meta.screen === from.meta.screen && isWide()
      return saved ?? (to.path === from.path || beside ? false : { top: 0 })
    },
  })
  let open = false
  router.beforeEach(async (to) => {
    if (to.meta.open) return true
    if (!open) {
      const answer = await enter(router)
      if (answer !== true) return answer === 'login' ? { name: 'login', query: { next: to.fullPath } } : true
      open = true
      return to.fullPath
    }
    if (to.meta.area) await loadArea(to.meta.area)
    return true
  })
  router.afterEach((to, from) => {
    if (from.path === to.path) return
    focusPage(to.meta.row ? undefined : from.params.id)
  })
  return router
}

/** Learn who is here and what there is; add the screens. */
async function enter(router: Router): Promise<true | 'login' | 'down'> {
  const person = usePerson()
  try {
    await person.load()
  } catch (error) {
    return error instanceof Problem && error.status === 401 ? 'login' : 'down'
  }
  for (const route of offeredRoutes(person)) router.addRoute(route)
  const home = HOMES.find((name) => router.hasRoute(name))
  if (home && home !== 'inbox') router.addRoute({ path: '/', name: 'home', redirect: { name: home } })
  await person.adopt()
  const wish = person.me?.locale as Locale | undefined
  const chosen = localStorage.getItem('stagewright.locale')
  if (
    !chosen &&
    wish &&
    LOCALES.includes(wish) &&
    wish !== (i18n.global.locale as unknown as { value: string }).value
  )
    await setLocale(wish)
  person.entered = true
  startLink()
  return true
}
