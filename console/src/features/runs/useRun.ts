// One run that stays true: its view by REST, its frames, its attempts, and its events.
import { computed, onScopeDispose, ref, toValue, type MaybeRefOrGetter } from 'vue'
import { api, ok } from '@/shared/api/client'
import type { components } from '@/shared/api/schema'
import type { Attempt, RunDetail, RunEvent } from '@/shared/api/types'
import { newer } from '@/shared/realtime/merge'
import type { Frame } from '@/shared/realtime/protocol'
import { useLiveData } from '@/shared/realtime/useLive'
import { AGENT, belongs, eventOf, without, withEvents, type Level } from './events'
import { ended } from './phases'

const SOON = 300
const PAGE = 200
/** Model calls make no events: while the run works, what they used is read again now and then. */
const USED_EVERY = 10_000
export type RunSession = components['schemas']['RunSession']

/** Merge the frames of a run's topic into its view. */
export function applyFrames(held: RunDetail, frames: readonly Frame[]): RunDetail {
  let run = held
  for (const { key, kind, data } of frames) {
    if (data === null) continue
    if (kind === 'run.pr.updated' && data.pull_request)
      run = { ...run, pull_request: data.pull_request as unknown as RunDetail['pull_request'] }
    else if (key === run.id) run = newer(run, data as unknown as RunDetail)
    else if (data.run_id === run.id && 'generation' in data)
      run = withAttempt(run, data as unknown as Attempt)
  }
  return run
}

function withAttempt(run: RunDetail, attempt: Attempt): RunDetail {
  const known = run.attempts.some((item) => item.id === attempt.id)
  const attempts = known
    ? run.attempts.map((item) => (item.id === attempt.id ? { ...item, ...attempt } : item))
    : [...run.attempts, attempt]
  return { ...run, attempts }
}

/** Follow the run `id`. */
export function useRun(id: MaybeRefOrGetter<string>) {
  const topic = computed(() => `run:${toValue(id)}`)
  const read = (signal?: AbortSignal) =>
    ok(api.GET('/api/v1/runs/{run_id}', { params: { path: { run_id: toValue(id) } }, signal }))
  let timer: ReturnType<typeof setTimeout> | undefined
  const live = useLiveData<RunDetail>({
    topic,
    load: read,
    apply: (held, frames) => {
      if (frames.length > 0) later()
      return applyFrames(held, frames)
    },
  })
  /** Frames carry neither waits nor the pull request nor costs: those are read soon after something happened. */
  function later(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void read().then(
        (fresh) => live.put((held) => ({ ...fresh, ...(held.version > fresh.version ? held : {}) })),
        () => undefined,
      )
    }, SOON)
  }
  onScopeDispose(() => clearTimeout(timer))
  return live
}

/** Follow what the agent of the run `id` did and used; `run` says whether it still works. */
export function useSession(id: MaybeRefOrGetter<string>, run: () => Pick<RunDetail, 'status'>) {
  const read = (signal?: AbortSignal) =>
    ok(api.GET('/api/v1/runs/{run_id}/session', { params: { path: { run_id: toValue(id) } }, signal }))
  let timer: ReturnType<typeof setTimeout> | undefined
  const live = useLiveData<RunSession>({
    topic: () => `run:${toValue(id)}`,
    params: 'session',
    load: read,
    apply: (held, frames) => {
      if (frames.length > 0) later()
      return held
    },
  })
  function later(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void read().then(
        (fresh) => live.put((held) => (fresh.as_of > held.as_of ? fresh : held)),
        () => undefined,
      )
    }, SOON)
  }
  const often = setInterval(() => !ended(run()) && !document.hidden && later(), USED_EVERY)
  onScopeDispose(() => {
    clearTimeout(timer)
    clearInterval(often)
  })
  return live
}

/** Follow the events of the run `id`, newest first: of the agent's work only or of everything, down to `level`. */
export function useEvents(id: MaybeRefOrGetter<string>, agent: boolean, level: MaybeRefOrGetter<Level>) {
  const next = ref<string | null>(null)
  const loadingMore = ref(false)
  const page = (cursor: string | null, signal?: AbortSignal) => {
    const leave = without(toValue(level))
    const query = {
      order: 'newest' as const,
      limit: PAGE,
      ...(agent ? { kind: AGENT } : {}),
      ...(leave.length > 0 ? { without: leave } : {}),
      ...(cursor ? { cursor } : {}),
    }
    const params = { path: { run_id: toValue(id) }, query }
    return ok(api.GET('/api/v1/runs/{run_id}/events', { params, signal }))
  }
  const live = useLiveData<{ items: RunEvent[] }>({
    topic: () => `run:${toValue(id)}`,
    params: () => ['events', agent, toValue(level)],
    load: async (signal) => {
      const first = await page(null, signal)
      next.value = first.next_cursor
      return { items: first.items }
    },
    apply: (held, frames) => ({ items: withEvents(held.items, frames.filter(isShown).map(eventOf)) }),
  })
  const isShown = (frame: Frame) => frame.data !== null && belongs(frame.kind, toValue(level), agent)
  async function more(): Promise<void> {
    if (next.value === null || loadingMore.value) return
    loadingMore.value = true
    try {
      const older = await page(next.value)
      next.value = older.next_cursor
      live.put((held) => ({ items: withOlder(held.items, older.items) }))
    } finally {
      loadingMore.value = false
    }
  }
  return { ...live, more, hasMore: computed(() => next.value !== null), loadingMore }
}

function withOlder(held: readonly RunEvent[], older: readonly RunEvent[]): RunEvent[] {
  const known = new Set(held.map((event) => event.seq))
  return [...held, ...older.filter((event) => !known.has(event.seq))]
}
