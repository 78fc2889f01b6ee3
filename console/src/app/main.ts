// Starts the console: languages, theme, routes, the connection.
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { whenSignedOut } from '@/shared/api/client'
import { usePerson } from '@/shared/api/person'
import { isRefusal } from '@/shared/api/problem'
import { chooseLocale, i18n, loadArea, setLocale } from '@/shared/i18n'
import { link, mux } from '@/shared/realtime/link'
import App from './App.vue'
import { registerWords } from './areas'
import { makeRouter } from './router'
import './styles/index.css'
import { makeVuetify } from './vuetify'

const FIVE_MINUTES = 5 * 60_000
registerWords()
await loadArea('app', 'en')
await setLocale(chooseLocale())

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: FIVE_MINUTES,
      retry: (count, error) => count < 1 && !isRefusal(error),
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      structuralSharing: false,
    },
  },
})
const app = createApp(App)
app.use(createPinia())
const router = makeRouter()
app.use(i18n).use(router).use(makeVuetify()).use(VueQueryPlugin, { queryClient: queries })

const person = usePerson()
whenSignedOut(() => {
  if (person.me !== null) mux.signedOut()
})
for (const event of ['pointerdown', 'keydown'])
  addEventListener(event, () => person.active(), { passive: true })
addEventListener('vite:preloadError', (event) => {
  event.preventDefault()
  link.value = { ...link.value, link: 'outdated' }
})
app.mount('#app')
