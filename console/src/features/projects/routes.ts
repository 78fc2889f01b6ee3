// Screens of projects and their repositories and members.
import type { RouteRecordRaw } from 'vue-router'

export const projectRoutes: RouteRecordRaw[] = [
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
