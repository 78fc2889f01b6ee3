// Starts the console: languages, theme, routes, the connection.
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { whenSignedOut } from '@/shared/api/client'
import { usePerson } from '@/shared/api/person'
import { chooseLocale, i18n, loadArea, setLocale } from '@/shared/i18n'
import { link, mux } from '@/shared/realtime/link'
import App from './App.vue'
import { registerWords } from './areas'
import { makeQueries } from './queries'
import { makeRouter } from './router'
import './styles/index.css'
import { makeVuetify } from './vuetify'

registerWords()
await loadArea('app', 'en')
await setLocale(chooseLocale())

const app = createApp(App)
app.use(createPinia())
const router = makeRouter()
app.use(i18n).use(router).use(makeVuetify()).use(VueQueryPlugin, { queryClient: makeQueries() })

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
