// Screens of requests that a person decides.
import type { RouteRecordRaw } from 'vue-router'

const list = () => import('./ApprovalsPage.vue')
const meta = {
  area: 'approvals',
  feature: 'approvals',
  title: 'screen.approvals',
  screen: 'approvals',
  scope: { project: 'many', time: true },
} as const
export const approvalRoutes: RouteRecordRaw[] = [
  { path: '/approvals', name: 'approvals', component: list, meta },
  { path: '/approvals/:id', name: 'approval', component: list, props: true, meta: { ...meta, row: true } },
  { path: '/a/:id', name: 'a', redirect: (to) => ({ name: 'approval', params: to.params }), meta },
]
