// One stream of one attempt: what was printed before by REST, what comes by the feed, the end as a fact.
import { computed, onScopeDispose, ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { api, ok, readRange } from '@/shared/api/client'
import type { paths } from '@/shared/api/schema'
import { toProblem, type Problem } from '@/shared/api/problem'
import { useFeed } from '@/shared/realtime/useFeed'
import { LogStore, HOLD } from '@/shared/ui/logs/store'
import { LogTail, type ReadTimes } from '@/shared/ui/logs/tail'
import { WindowedLog } from '@/shared/ui/logs/windowed'

type LogStream = paths['/api/v1/runs/{run_id}/logs/{stream}']['get']['parameters']['path']['stream']
const LONG_HIDDEN = 10 * 60_000

/** Follow `stream` of a run; `attempt` null is the newest; `timed`: learn when lines were written. */
export function useRunLog(
  runId: MaybeRefOrGetter<string>,
  stream: MaybeRefOrGetter<string>,
  attempt: MaybeRefOrGetter<number | null>,
  timed: MaybeRefOrGetter<boolean> = false,
) {
  const version = ref(0)
  const tail = shallowRef<LogTail | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const away = ref(false)
  const path = computed(() => `/api/v1/runs/${toValue(runId)}/logs/${toValue(stream)}/raw`)
  const rawUrl = computed(() => `${path.value}?attempt=${tail.value?.attempt ?? ''}`)
  let frame = 0
  const changed = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0
      version.value += 1
    })
  }
  function open(number: number, bytes: number): LogTail {
    const url = `${path.value}?attempt=${number}`
    const read = (from: number, to: number) => readRange(url, from, to)
    const store = bytes > HOLD ? new WindowedLog(read) : new LogStore()
    store.onChange = changed
    const made = new LogTail(number, store, read)
    made.onChange = changed
    if (toValue(timed)) void made.timesFrom(timesOf(number))
    return made
  }
  /** Only the times: the bytes come exactly, from `/raw`. */
  function timesOf(number: number): ReadTimes {
    const path = { run_id: toValue(runId), stream: toValue(stream) as LogStream }
    return async (from_byte) => {
      const query = { attempt: number, from_byte, text: false }
      const found = await ok(api.GET('/api/v1/runs/{run_id}/logs/{stream}', { params: { path, query } }))
      return { times: found.times, next: found.next_byte }
    }
  }
  watch(
    () => toValue(timed),
    (on) => void tail.value?.timesFrom(on ? timesOf(tail.value.attempt) : null),
  )
  /** Learn how far the stream is and read up to there. */
  async function load(): Promise<void> {
    const [run_id, name, wanted] = [toValue(runId), toValue(stream), toValue(attempt)]
    try {
      const query = wanted === null ? {} : { attempt: wanted }
      const where = await ok(api.GET('/api/v1/runs/{run_id}/logs', { params: { path: { run_id }, query } }))
      if (run_id !== toValue(runId) || name !== toValue(stream)) return
      const place = where.streams.find((item) => item.stream === name)
      if (!place) return
      if (tail.value?.attempt !== where.attempt) tail.value = open(where.attempt, place.bytes)
      problem.value = null
      const { bytes, lines, sha256, ended_at: at } = place
      const end = sha256 ? { bytes, lines, sha256, at } : null
      await tail.value!.reach(place.bytes, place.stream_seq, end)
    } catch (error) {
      problem.value = toProblem(error)
    }
  }
  const newest = () => toValue(attempt) === null || toValue(attempt) === tail.value?.attempt
  useFeed(() => (away.value ? null : `run.logs:${toValue(runId)}:${toValue(stream)}`), {
    position: () => tail.value?.position ?? null,
    gap: load,
    refused: () => void load(),
    chunk: (chunk) => {
      if (tail.value && chunk.attempt > tail.value.attempt && toValue(attempt) === null)
        tail.value = open(chunk.attempt, 0)
      if (newest()) void tail.value?.take(chunk)
    },
    news: (news) => {
      if (tail.value && news.attempt > tail.value.attempt && toValue(attempt) === null)
        tail.value = open(news.attempt, 0)
      void tail.value?.news(news)
    },
  })
  watch([() => toValue(runId), () => toValue(stream), () => toValue(attempt)], () => {
    tail.value = null
    void load()
  })
  let timer: ReturnType<typeof setTimeout> | undefined
  const hidden = () => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(() => (away.value = true), LONG_HIDDEN)
    else away.value = false
  }
  document.addEventListener('visibilitychange', hidden)
  void load()
  onScopeDispose(() => {
    clearTimeout(timer)
    cancelAnimationFrame(frame)
    document.removeEventListener('visibilitychange', hidden)
  })
  return { version, tail, problem, rawUrl, load }
}
