// Screens of the platform's errors.
import type { RouteRecordRaw } from 'vue-router'

const meta = { area: 'incidents', feature: 'errors', title: 'screen.errors' }
export const incidentRoutes: RouteRecordRaw[] = [
  { path: '/errors', name: 'errors', component: () => import('./ErrorsPage.vue'), meta },
  { path: '/errors/:id', name: 'error', component: () => import('./ErrorPage.vue'), props: true, meta },
  { path: '/e/:id', name: 'e', redirect: (to) => ({ name: 'error', params: to.params }), meta },
]
