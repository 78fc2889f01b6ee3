// Screens of the platform's errors.
import type { RouteRecordRaw } from 'vue-router'

const list = () => import('./ErrorsPage.vue')
const meta = {
  area: 'incidents',
  feature: 'errors',
  title: 'screen.errors',
  screen: 'errors',
  scope: { project: 'many' },
} as const
export const incidentRoutes: RouteRecordRaw[] = [
  { path: '/errors', name: 'errors', component: list, meta },
  { path: '/errors/:id', name: 'error', component: list, props: true, meta: { ...meta, row: true } },
  { path: '/e/:id', name: 'e', redirect: (to) => ({ name: 'error', params: to.params }), meta },
]
