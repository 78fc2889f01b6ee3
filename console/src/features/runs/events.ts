// The events of a run: what the feed adds to what REST loaded, and what of them is worth a line. Pure.
import type { RunEvent } from '@/shared/api/types'
import type { Frame } from '@/shared/realtime/protocol'

const QUIET = new Set(['run.mcp.token.issued', 'run.status.comment.upserted', 'prompt.context.assembled'])
const AGENT = /^(run\.agent\.|mcp\.|run\.result\.|run\.toolchain\.|run\.wait\.)/

/** Say whether a kind tells of the agent's work. */
export function ofAgent(kind: string): boolean {
  return AGENT.test(kind)
}

/** Say whether a kind is shown small. */
export function isQuiet(kind: string): boolean {
  return QUIET.has(kind)
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
}

/** Fold neighbours that say the same into one line with a count. */
export function folded(events: readonly RunEvent[]): Line[] {
  const lines: Line[] = []
  for (const event of events) {
    const last = lines[lines.length - 1]
    if (last && last.event.kind === event.kind && detailOf(last.event) === detailOf(event)) last.times += 1
    else lines.push({ event, times: 1 })
  }
  return lines
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
