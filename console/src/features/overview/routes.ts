// Screens over all contexts: audit, about.
import type { RouteRecordRaw } from 'vue-router'

export const overviewRoutes: RouteRecordRaw[] = [
  {
    path: '/audit',
    name: 'audit',
    component: () => import('./AuditPage.vue'),
    meta: { area: 'overview', feature: 'audit', title: 'screen.audit' },
  },
  {
    path: '/about',
    name: 'about',
    component: () => import('./AboutPage.vue'),
    meta: { area: 'overview', feature: 'about', title: 'screen.about' },
  },
]
