// Screens about the person.
import type { RouteRecordRaw } from 'vue-router'

export const identityRoutes: RouteRecordRaw[] = [
  {
    path: '/me',
    name: 'profile',
    component: () => import('./ProfilePage.vue'),
    meta: { area: 'identity', feature: 'profile', title: 'screen.profile' },
  },
]
