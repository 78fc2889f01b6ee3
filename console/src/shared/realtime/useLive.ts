// One resource that stays true: subscribe, wait for coverage, load by REST, keep the newer (console.md §6.3).
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, nextTick, onScopeDispose, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { toProblem } from '../api/problem'
import { link } from './link'
import { newer } from './merge'
import type { Frame } from './protocol'
import { useFeed } from './useFeed'

const NO_ACK = 2000

export interface Source<T> {
  topic: MaybeRefOrGetter<string | null>
  /** What else the loaded data depends on, e.g. filters. */
  params?: MaybeRefOrGetter<unknown>
  load: (signal: AbortSignal) => Promise<T>
  /** Apply frames; frames that came while loading are applied to the loaded data. */
  apply: (held: T, frames: Frame[]) => T
}

/** Load and keep true whatever `source` describes. */
export function useLiveData<T extends object>(source: Source<T>) {
  const client = useQueryClient()
  const key = computed(() => ['live', toValue(source.topic), toValue(source.params) ?? null] as const)
  let meanwhile: Frame[] = []
  const query = useQuery({
    queryKey: key,
    enabled: false,
    queryFn: async ({ signal }) => {
      meanwhile = []
      const loaded = await source.load(signal)
      return source.apply(loaded, meanwhile)
    },
  })
  let asked: string | null = null
  const reload = async () => {
    asked = toValue(source.topic)
    await nextTick()
    await query.refetch({ cancelRefetch: true })
  }
  useFeed(source.topic, {
    gap: reload,
    frames: (list) => {
      meanwhile.push(...list)
      client.setQueryData<T>(key.value, (held) => held && source.apply(held, list))
    },
    refused: () => void reload(),
  })
  let timer: ReturnType<typeof setTimeout> | undefined
  const fallback = () => {
    clearTimeout(timer)
    const pause = link.value.link === 'connecting' || link.value.link === 'live' ? NO_ACK : 0
    timer = setTimeout(() => asked !== toValue(source.topic) && void reload(), pause)
  }
  watch(() => toValue(source.topic), fallback, { immediate: true })
  watch(
    () => JSON.stringify(toValue(source.params) ?? null),
    () => void reload(),
  )
  onScopeDispose(() => clearTimeout(timer))
  const put = (change: (held: T) => T) => client.setQueryData<T>(key.value, (held) => held && change(held))
  const error = computed(() => (query.error.value ? toProblem(query.error.value) : null))
  return { data: query.data, error, loading: query.isFetching, age: query.dataUpdatedAt, reload, put }
}

/** One resource with `id` and `version`; frames with its key are merged into it. `params`: which one of the topic. */
export function useLive<T extends { id: string }>(
  topic: MaybeRefOrGetter<string | null>,
  load: (signal: AbortSignal) => Promise<T>,
  params?: MaybeRefOrGetter<unknown>,
) {
  return useLiveData<T>({
    topic,
    params,
    load,
    apply: (held, frames) =>
      frames
        .filter((frame) => frame.key === held.id && frame.data !== null)
        .reduce((now, frame) => newer(now, frame.data as unknown as T), held),
  })
}
