// Screens of runs and waits.
import type { RouteRecordRaw } from 'vue-router'

const runs = {
  area: 'runs',
  feature: 'runs',
  screen: 'runs',
  scope: { project: 'many', time: true },
} as const
const list = () => import('./RunsPage.vue')

export const runRoutes: RouteRecordRaw[] = [
  { path: '/runs', name: 'runs', component: list, meta: { ...runs, title: 'screen.runs' } },
  {
    path: '/runs/jobs',
    name: 'jobs',
    component: list,
    props: { jobs: true },
    meta: { ...runs, title: 'screen.jobs' },
  },
  {
    path: '/runs/:id',
    name: 'run',
    component: list,
    props: true,
    meta: { ...runs, title: 'screen.runs', row: true },
  },
  {
    path: '/runs/:id/logs/:stream',
    name: 'log',
    component: () => import('./LogPage.vue'),
    props: true,
    meta: { area: 'runs', feature: 'runs', title: 'log.label' },
  },
  { path: '/r/:id', name: 'r', redirect: (to) => ({ name: 'run', params: to.params }), meta: runs },
  {
    path: '/waits',
    name: 'waits',
    component: () => import('./WaitsPage.vue'),
    meta: { area: 'runs', feature: 'waits', title: 'screen.waits', scope: { project: 'many' } },
  },
]
