// What is opened by what is typed into the palette: a run by number or id, an issue by number or full name.
import type { RouteLocationRaw } from 'vue-router'
import { api, ok } from '@/shared/api/client'

export interface Way {
  /** The screen that it needs. */
  screen: string
  key: string
  params: Record<string, string>
  to: RouteLocationRaw
  /** A run that is known by its number only. */
  number?: number
}
const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i
const NUMBER = /^(?:run-)?0*(\d{1,9})$/i
const ISSUE = /^#(\d{1,9})$/
const THREAD = /^([\w.-]+)\/([\w.-]+)#(\d{1,9})$/

/** Write a run's number as it is shown everywhere. */
export const runNumber = (number: number) => `run-${String(number).padStart(4, '0')}`

/** Return what `text` names. */
export function directly(text: string): Way[] {
  const [, number] = NUMBER.exec(text) ?? []
  const [, issue] = ISSUE.exec(text) ?? []
  const [, owner, repo, n] = THREAD.exec(text) ?? []
  const ways: Way[] = []
  if (UUID.test(text))
    ways.push({
      screen: 'run',
      key: 'palette.openRun',
      params: { id: text },
      to: { name: 'run', params: { id: text } },
    })
  if (number && Number(number) > 0)
    ways.push({
      screen: 'run',
      key: 'palette.number',
      params: { run: runNumber(Number(number)) },
      to: { name: 'runs' },
      number: Number(number),
    })
  if (issue)
    ways.push({
      screen: 'runs',
      key: 'palette.issue',
      params: { n: issue },
      to: { name: 'runs', query: { issue } },
    })
  if (owner && repo && n)
    ways.push({
      screen: 'issue',
      key: 'palette.lineage',
      params: { thread: text },
      to: { name: 'issue', params: { owner, repo, n } },
    })
  return ways
}

/** Find the run with this number; undefined: there is none that I may see. */
export async function runOf(number: number): Promise<string | undefined> {
  const page = await ok(api.GET('/api/v1/runs', { params: { query: { number: [number], limit: 1 } } })).catch(
    () => null,
  )
  return page?.items[0]?.id
}
