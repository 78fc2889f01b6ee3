// Screens of projects with their repositories and members, and of the installation's settings.
import type { RouteRecordRaw } from 'vue-router'

export const projectRoutes: RouteRecordRaw[] = [
  {
    path: '/settings',
    name: 'settings',
    component: () => import('./SettingsPage.vue'),
    meta: { area: 'projects', feature: 'settings', title: 'screen.settings' },
  },
  {
    path: '/projects',
    name: 'projects',
    component: () => import('./ProjectsPage.vue'),
    meta: { area: 'projects', feature: 'projects', title: 'screen.projects' },
  },
  {
    path: '/projects/:id',
    name: 'project',
    component: () => import('./ProjectPage.vue'),
    props: true,
    meta: { area: 'projects', feature: 'projects', title: 'screen.projects' },
  },
]
