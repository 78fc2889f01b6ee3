// Which screens exist: those whose features the server offers to this person.
import {
  mdiAccountGroup,
  mdiAlertCircleOutline,
  mdiCogOutline,
  mdiFileDocumentCheckOutline,
  mdiFolderMultipleOutline,
  mdiInboxOutline,
  mdiInformationOutline,
  mdiLabelMultipleOutline,
  mdiPlayCircleOutline,
  mdiServerOutline,
  mdiShieldCheckOutline,
  mdiTimerSand,
} from '@mdi/js'
import type { RouteRecordRaw } from 'vue-router'
import type { usePerson } from '@/shared/api/person'
import { approvalRoutes } from '@/features/approvals/routes'
import { overviewRoutes } from '@/features/overview/routes'
import { incidentRoutes } from '@/features/incidents/routes'
import { identityRoutes } from '@/features/identity/routes'
import { projectRoutes } from '@/features/projects/routes'
import { runRoutes } from '@/features/runs/routes'
import { workflowRoutes } from '@/features/workflow/routes'

type Person = ReturnType<typeof usePerson>

export interface Entry {
  name: string
  icon: string
  group: 'home' | 'work' | 'projects' | 'agents' | 'operate' | 'system'
  /** `g` and this letter open the screen. */
  key?: string
}

export const ENTRIES: readonly Entry[] = [
  { name: 'inbox', icon: mdiInboxOutline, group: 'home', key: 'i' },
  { name: 'runs', icon: mdiPlayCircleOutline, group: 'work', key: 'r' },
  { name: 'jobs', icon: mdiServerOutline, group: 'work' },
  { name: 'waits', icon: mdiTimerSand, group: 'work', key: 'w' },
  { name: 'approvals', icon: mdiShieldCheckOutline, group: 'work', key: 'a' },
  { name: 'projects', icon: mdiFolderMultipleOutline, group: 'projects', key: 'p' },
  { name: 'labels', icon: mdiLabelMultipleOutline, group: 'agents' },
  { name: 'errors', icon: mdiAlertCircleOutline, group: 'operate', key: 'e' },
  { name: 'audit', icon: mdiFileDocumentCheckOutline, group: 'operate' },
  { name: 'users', icon: mdiAccountGroup, group: 'system' },
  { name: 'settings', icon: mdiCogOutline, group: 'system' },
  { name: 'about', icon: mdiInformationOutline, group: 'system' },
]

const ALL: RouteRecordRaw[] = [
  ...overviewRoutes,
  ...runRoutes,
  ...approvalRoutes,
  ...projectRoutes,
  ...workflowRoutes,
  ...incidentRoutes,
  ...identityRoutes,
]

/** Say whether the server offers a route's feature to this person. */
function offered(route: RouteRecordRaw, person: Person): boolean {
  const { feature } = route.meta ?? {}
  return feature === undefined || person.has(feature)
}

/** Return the routes that this person has here. */
export function offeredRoutes(person: Person): RouteRecordRaw[] {
  return ALL.filter((route) => offered(route, person))
}
