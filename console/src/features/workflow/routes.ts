// Screens of the process: which labels there are, and whether repositories have them.
import type { RouteRecordRaw } from 'vue-router'

export const workflowRoutes: RouteRecordRaw[] = [
  {
    path: '/labels',
    name: 'labels',
    component: () => import('./LabelsPage.vue'),
    meta: { area: 'workflow', feature: 'labels', title: 'screen.labels', scope: { project: 'one' } },
  },
]
