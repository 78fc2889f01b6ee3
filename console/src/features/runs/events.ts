// The events of a run: what the feed adds to what REST loaded, and what of them is worth a line. Pure.
import type { RunEvent } from '@/shared/api/types'
import type { Frame } from '@/shared/realtime/protocol'

export const LEVELS = ['important', 'normal', 'all'] as const
export type Level = (typeof LEVELS)[number]

/** Kinds that say what the agent does; a star at the end stands for all that begin so. */
export const AGENT = [
  'run.agent.*',
  'run.result.*',
  'run.toolchain.*',
  'run.wait.*',
  'run.pr.*',
  'mcp.*',
  'approval.*',
  'interaction.*',
]
/** Housekeeping: shown only when everything is asked for. */
export const HIDDEN = [
  'run.mcp.token.issued',
  'run.status.comment.upserted',
  'run.lease.*',
  'run.agent.session.saved',
  'prompt.context.assembled',
]
/** Steps on the way and single acts: what is left without them is important. */
export const DETAILS = [
  'run.preparing',
  'run.profile.resolved',
  'run.job.image.resolved',
  'run.workload.*',
  'run.attempt.*',
  'run.agent.started',
  'run.agent.ready',
  'run.agent.session.*',
  'run.agent.resume.used',
  'run.agent.acted',
  'mcp.*',
]
/** Kinds of which neighbours are one group: single calls of tools. */
const TOOLS = ['run.agent.acted', 'mcp.*']

function isOneOf(kind: string, kinds: readonly string[]): boolean {
  return kinds.some((name) => (name.endsWith('*') ? kind.startsWith(name.slice(0, -1)) : kind === name))
}

/** What the server is asked to leave out at a level. */
export function without(level: Level): string[] {
  if (level === 'all') return []
  return level === 'normal' ? HIDDEN : [...HIDDEN, ...DETAILS]
}

/** Say whether an event of this kind belongs into a list: the same rule that the server is asked for. */
export function belongs(kind: string, level: Level, agent: boolean): boolean {
  return (!agent || isOneOf(kind, AGENT)) && !isOneOf(kind, without(level))
}

/** Say whether a kind is shown small. */
export function isQuiet(kind: string): boolean {
  return isOneOf(kind, HIDDEN)
}

/** Turn a frame of the run's topic into an event. */
export function eventOf(frame: Frame): RunEvent {
  const data = (frame.data ?? {}) as RunEvent['data']
  return {
    seq: Number(frame.id),
    at: frame.at,
    kind: frame.kind,
    actor: { kind: '', id: '' },
    correlation_id: '',
    data,
  }
}

/** Put new events on top; an event that is there already is left alone. */
export function withEvents(held: readonly RunEvent[], fresh: readonly RunEvent[]): RunEvent[] {
  const known = new Set(held.map((event) => event.seq))
  const added = fresh.filter((event) => !known.has(event.seq))
  return added.length === 0 ? [...held] : [...added.toReversed(), ...held]
}

export interface Line {
  event: RunEvent
  times: number
  /** Calls of tools in one group, the newest first; empty for any other line. */
  calls: RunEvent[]
  /** After this line, going back in time, the run stood still that long. */
  pause: Pause | null
}
export interface Pause {
  seconds: number
  who: string
  reason: string
}

/** Fold neighbours that say the same into one line with a count, and neighbouring calls of tools into a group. */
export function folded(events: readonly RunEvent[]): Line[] {
  const lines: Line[] = []
  for (const event of events) {
    const last = lines[lines.length - 1]
    const tool = isOneOf(event.kind, TOOLS)
    if (last && tool && last.calls.length > 0) last.calls.push(event)
    else if (last && !tool && last.event.kind === event.kind && detailOf(last.event) === detailOf(event))
      last.times += 1
    else lines.push({ event, times: 1, calls: tool ? [event] : [], pause: null })
  }
  return withPauses(lines)
}

const LONG_WAIT = 300

/** Mark where the run stood still for long: below the line that ended the wait. */
function withPauses(lines: Line[]): Line[] {
  let until: { line: Line; at: number } | null = null
  for (const line of lines) {
    const { kind, at, data } = line.event
    if (kind === 'run.wait.paused' && until !== null) {
      const seconds = (until.at - Date.parse(at)) / 1000
      const wait = (data as { wait?: { who_can_act?: string; kind?: string } | null }).wait
      const told = { seconds, who: wait?.who_can_act ?? '', reason: wait?.kind ?? '' }
      if (seconds >= LONG_WAIT) until.line.pause = told
      until = null
    } else if (kind === 'run.wait.resumed' || (until === null && isEnd(kind)))
      until = { line, at: Date.parse(at) }
  }
  return lines
}

function isEnd(kind: string): boolean {
  return isOneOf(kind, ['run.failed*', 'run.cancel*'])
}

export interface Acted {
  commands: number
  files: number
  tools: { name: string; calls: number }[]
}

/** What a group of tool calls says: the newest totals of a runner's count, or the platform's own calls by name. */
export function actedOf(calls: readonly RunEvent[]): Acted {
  const counted = calls.find((event) => event.kind === 'run.agent.acted')
  const data = (counted?.data ?? {}) as Record<string, Record<string, unknown> | undefined>
  const tools = new Map<string, number>()
  for (const [name, uses] of Object.entries(data.tools ?? {}))
    tools.set(name, numberOf((uses as Record<string, unknown> | undefined)?.calls))
  for (const event of calls)
    if (!counted && typeof event.data.tool === 'string')
      tools.set(event.data.tool, (tools.get(event.data.tool) ?? 0) + 1)
  return {
    commands: numberOf(data.commands?.calls),
    files: numberOf(data.file_changes?.calls),
    tools: [...tools].map(([name, count]) => ({ name, calls: count })).sort((a, b) => b.calls - a.calls),
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

const TELLING = [
  'status_text',
  'code',
  'reason',
  'detail',
  'outcome',
  'hold_reason',
  'pr_url',
  'branch',
  'workload',
  'model',
  'engine',
]

/** Return what an event says beyond its kind. */
export function detailOf(event: RunEvent): string {
  const data = event.data as Record<string, unknown>
  const moved = 'status' in data && 'lane' in data
  const names = moved ? ['code', 'detail', 'admission_reason'] : TELLING
  const parts = names.map((name) => data[name]).filter((value) => typeof value === 'string' && value !== '')
  return [...new Set(parts)].join(' · ')
}
