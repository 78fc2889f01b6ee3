// One run that stays true: its view by REST, its frames, its attempts, and its events.
import { useQueryClient } from '@tanstack/vue-query'
import { computed, onScopeDispose, ref, toValue, type MaybeRefOrGetter } from 'vue'
import { api, ok } from '@/shared/api/client'
import type { Attempt, RunDetail, RunEvent } from '@/shared/api/types'
import { newer } from '@/shared/realtime/merge'
import type { Frame } from '@/shared/realtime/protocol'
import { useLiveData } from '@/shared/realtime/useLive'
import { eventOf, withEvents } from './events'

const SOON = 300
const PAGE = 100

/** Merge the frames of a run's topic into its view. */
export function applyFrames(held: RunDetail, frames: readonly Frame[]): RunDetail {
  let run = held
  for (const { key, data } of frames) {
    if (data === null) continue
    if (key === run.id) run = newer(run, data as unknown as RunDetail)
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

/** Follow the events of the run `id`, newest first. */
export function useEvents(id: MaybeRefOrGetter<string>) {
  const client = useQueryClient()
  void client
  const next = ref<string | null>(null)
  const loadingMore = ref(false)
  const page = (cursor: string | null, signal?: AbortSignal) =>
    ok(
      api.GET('/api/v1/runs/{run_id}/events', {
        params: { path: { run_id: toValue(id) }, query: { limit: PAGE, ...(cursor ? { cursor } : {}) } },
        signal,
      }),
    )
  const live = useLiveData<{ items: RunEvent[] }>({
    topic: () => `run:${toValue(id)}`,
    params: 'events',
    load: async (signal) => {
      const first = await page(null, signal)
      next.value = first.next_cursor
      return { items: newestFirst(first.items) }
    },
    apply: (held, frames) => ({
      items: withEvents(held.items, frames.filter((frame) => frame.data !== null).map(eventOf)),
    }),
  })
  async function more(): Promise<void> {
    if (next.value === null || loadingMore.value) return
    loadingMore.value = true
    try {
      const older = await page(next.value)
      next.value = older.next_cursor
      live.put((held) => ({ items: newestFirst([...held.items, ...older.items]) }))
    } finally {
      loadingMore.value = false
    }
  }
  return { ...live, more, hasMore: computed(() => next.value !== null), loadingMore }
}

function newestFirst(items: readonly RunEvent[]): RunEvent[] {
  return [...items].sort((a, b) => b.seq - a.seq)
}
