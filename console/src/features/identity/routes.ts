// Screens about people: mine, and everybody's.
import type { RouteRecordRaw } from 'vue-router'

export const identityRoutes: RouteRecordRaw[] = [
  {
    path: '/users',
    name: 'users',
    component: () => import('./UsersPage.vue'),
    meta: { area: 'identity', feature: 'users', title: 'screen.users' },
  },
  {
    path: '/me',
    name: 'profile',
    component: () => import('./ProfilePage.vue'),
    meta: { area: 'identity', feature: 'profile', title: 'screen.profile' },
  },
]
