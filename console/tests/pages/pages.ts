// Every page that reads something: where it is, what it reads, what one item shows, what stands where there is none.
import { AT, page } from './server'

export interface PageCase {
  name: string
  path: string
  reads: string
  full: object
  shows: string
  /** Lists: what is shown where there is nothing, and a filter in the address that hides everything. */
  empty?: string
  filter?: string
}
const run = {
  id: 'r1',
  number: 'run-0001',
  project_id: 'p1',
  repository_id: 'g1',
  repository: 'shop/api',
  project: 'Shop',
  subject: 'issue:12',
  issue_number: 12,
  pr_number: null,
  stage: 'dev',
  kind: 'stage',
  role: 'dev',
  mode: 'process',
  status: 'running',
  version: 3,
  generation: 1,
  requested_by: { kind: 'forge', id: 'ann' },
  trigger: { source: 'label' },
  wait: null,
  waits: [],
  attempts: [],
  notes: [],
  pull_request: null,
  launch_profile: null,
  finished_at: null,
  created_at: AT,
  admitted_at: AT,
  started_at: AT,
  status_since: AT,
  cost_micros: null,
  allowed_actions: [],
}
const wait = {
  id: 'w1',
  run_id: 'r1',
  run_number: 'run-0001',
  kind: 'question',
  target: { kind: 'request', id: 'q1' },
  who_can_act: 'ann',
  opened_at: AT,
  deadline_at: null,
  resume_at: null,
  allowed_actions: [],
}
const incident = {
  id: 'e1',
  message: 'The forge refused',
  level: 'error',
  source: 'forge',
  code: 'forge.refused',
  count: 3,
  state: 'open',
  viewed: false,
  muted_until: null,
  first_seen: AT,
  last_seen: AT,
  version: 1,
  details: {},
  allowed_actions: [],
}
const project = { id: 'p1', key: 'shop', name: 'Shop', weight: 1, locale: 'en', created_at: AT, version: 1 }
const entry = {
  seq: 7,
  at: AT,
  actor: { kind: 'user', id: 'u1', name: 'Ann' },
  action: 'project.created',
  object: { type: 'project', id: 'p1' },
  channel: 'console',
  data: { key: 'shop' },
}
const item = {
  id: 'i1',
  kind: 'question',
  asks: 'answer',
  why: null,
  params: {},
  since: AT,
  expires_at: null,
  answers: [],
  if_nothing: { effect: 'nothing' },
  repository: 'shop/api',
  issue_number: 12,
  run_id: 'r1',
  snoozed_until: null,
}
const user = {
  id: 'u1',
  display_name: 'Ann',
  email: 'ann@x.test',
  role: 'member',
  state: 'active',
  created_at: AT,
  allowed_actions: [],
}
const setting = {
  key: 'runs.limit',
  about: 'How many',
  value: 3,
  default: 3,
  reload: 'live',
  kind: 'integer',
  version: 1,
}
const system = {
  version: '1.2.3',
  server_time: AT,
  db_schema: { database: 7, program: 7 },
  deliveries: { pending: 0, dead: 0, last_received_at: null },
  queues: {},
  processes: [],
  forge_limits: [],
}
const session = {
  id: 's1',
  method: 'local',
  created_at: AT,
  last_used_at: AT,
  expires_at: AT,
  ended_at: null,
  end_reason: null,
  ip_prefix: '127.0.0.0/24',
  user_agent: 'Firefox 153',
  current: true,
}

/** A new page is one more row. */
export const PAGES: PageCase[] = [
  {
    name: 'inbox',
    path: '/',
    reads: '/inbox',
    full: page(item),
    shows: 'shop/api#12',
    empty: 'Nothing needs you',
  },
  {
    name: 'runs',
    path: '/runs',
    reads: '/runs',
    full: page(run),
    shows: 'run-0001',
    empty: 'run:intake',
    filter: 'status=failed',
  },
  {
    name: 'jobs',
    path: '/runs/jobs',
    reads: '/runs',
    full: page(run),
    shows: 'run-0001',
    empty: 'No',
    filter: 'stage=qa',
  },
  { name: 'run', path: '/runs/r1', reads: '/runs/r1', full: run, shows: 'shop/api#12' },
  {
    name: 'waits',
    path: '/waits',
    reads: '/waits',
    full: page(wait),
    shows: 'run-0001',
    empty: 'Nothing waits',
    filter: 'reason=budget',
  },
  {
    name: 'projects',
    path: '/projects',
    reads: '/projects',
    full: page(project),
    shows: 'Shop',
    empty: 'stagewright project',
  },
  { name: 'project', path: '/projects/p1', reads: '/projects/p1', full: project, shows: 'Shop' },
  {
    name: 'errors',
    path: '/errors',
    reads: '/incidents',
    full: page(incident),
    shows: 'The forge refused',
    empty: 'Nothing',
    filter: 'level=critical',
  },
  { name: 'error', path: '/errors/e1', reads: '/incidents/e1', full: incident, shows: 'The forge refused' },
  {
    name: 'audit',
    path: '/audit',
    reads: '/audit',
    full: page(entry),
    shows: 'project.created',
    empty: 'Every change appears here',
    filter: 'actor=u2&from=2026-01-01T00:00:00Z',
  },
  { name: 'users', path: '/users', reads: '/users', full: page(user), shows: 'ann@x.test' },
  { name: 'settings', path: '/settings', reads: '/settings', full: page(setting), shows: 'runs.limit' },
  { name: 'about', path: '/about', reads: '/system', full: system, shows: '1.2.3' },
  { name: 'profile', path: '/me', reads: '/me/sessions', full: page(session), shows: 'Firefox' },
]
