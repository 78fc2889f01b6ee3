// Screens over all contexts: inbox, audit, about.
import type { RouteRecordRaw } from 'vue-router'

export const overviewRoutes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'inbox',
    component: () => import('./InboxPage.vue'),
    meta: { area: 'overview', feature: 'inbox', title: 'screen.inbox' },
  },
  {
    path: '/i/:owner/:repo/:n(\\d+)',
    name: 'issue',
    component: () => import('./lineage/LineagePage.vue'),
    props: true,
    meta: { area: 'overview', feature: 'issues', title: 'screen.issue' },
  },
  {
    path: '/next-step',
    name: 'next-step',
    component: () => import('./next/NextStepPage.vue'),
    meta: { area: 'overview', feature: 'inbox', title: 'screen.nextStep' },
  },
  {
    path: '/audit',
    name: 'audit',
    component: () => import('./AuditPage.vue'),
    meta: {
      area: 'overview',
      feature: 'audit',
      title: 'screen.audit',
      scope: { project: 'one', time: true },
    },
  },
  {
    path: '/about',
    name: 'about',
    component: () => import('./AboutPage.vue'),
    meta: { area: 'overview', feature: 'about', title: 'screen.about' },
  },
]
