// A list of the server that stays true: pages by REST, frames by key, new rows held back while they would push.
import { computed, onScopeDispose, ref, shallowRef, toValue, watch, type MaybeRefOrGetter } from 'vue'
import type { Page } from '../api/types'
import type { Frame } from './protocol'
import { noRows, withChanges, withFrames, withoutLeft, withPage, type Rows } from './rows'
import { useLiveData } from './useLive'

const SORT_EVERY = 1000
const FEW = 10

export interface ListSource<T> {
  topic: MaybeRefOrGetter<string | null>
  params: MaybeRefOrGetter<object>
  load: (cursor: string | null, signal?: AbortSignal) => Promise<Page<T>>
  key?: (row: T) => string
  /** Say whether a row belongs into the list, now that this frame changed it. */
  matches: (row: T, frame: Frame) => boolean
  sort: (a: T, b: T) => number
  /** Of a frame that is no row: what it changes of the rows that are held; undefined is a row. */
  beside?: (frame: Frame) => ((row: T) => T) | undefined
  /** Load one row: frames do not carry everything that a row shows. */
  one?: (key: string) => Promise<T>
  /** Say whether a frame changed something that only `one` can tell. */
  incomplete?: (before: T, after: T) => boolean
  /** Say whether new rows would push what is being read. */
  busy?: () => boolean
}

/** Keep the list of `source`. */
export function useLiveList<T extends object>(source: ListSource<T>) {
  const keyOf = source.key ?? ((row: T) => (row as { id: string }).id)
  const live = useLiveData<Rows<T>>({
    topic: source.topic,
    params: source.params,
    load: async (signal) => withPage(noRows<T>(), await source.load(null, signal), keyOf, new Map()),
    apply: (held, frames) => {
      const changes = frames.map((frame) => source.beside?.(frame))
      const rows = frames.filter((_, n) => changes[n] === undefined)
      const next = withChanges(withFrames(held, rows, source.matches), changes)
      queueMicrotask(() => void complete(held, next))
      return next
    },
  })
  const fetching = new Set<string>()
  async function complete(before: Rows<T>, after: Rows<T>): Promise<void> {
    const { one, incomplete } = source
    if (one === undefined) return after.unknown.size > 0 ? void live.reload() : undefined
    const stale = incomplete ? [...after.rows].filter(([key, row]) => needs(before.rows.get(key), row)) : []
    const wanted = stale.map(([key]) => key)
    if (after.unknown.size > 0 && !(source.busy?.() ?? false)) wanted.push(...after.unknown)
    if (wanted.length > FEW) return live.reload()
    await Promise.all(wanted.filter((key) => !fetching.has(key)).map((key) => take(key, one)))
    function needs(old: T | undefined, row: T): boolean {
      return old !== undefined && old !== row && (incomplete?.(old, row) ?? false)
    }
  }
  async function take(key: string, one: (key: string) => Promise<T>): Promise<void> {
    fetching.add(key)
    try {
      put(await one(key))
    } catch {
      live.put((held) => ({ ...held, unknown: new Set([...held.unknown].filter((id) => id !== key)) }))
    } finally {
      fetching.delete(key)
    }
  }
  /** Merge a row that an answer brought: my own action shows at once. */
  function put(row: T): void {
    live.put((held) => {
      const page = { items: [row], next_cursor: held.next, as_of: held.asOf ?? undefined }
      const next = withPage(held, page, keyOf, new Map(), true)
      return { ...next, unknown: new Set([...held.unknown].filter((id) => id !== keyOf(row))) }
    })
  }
  const loadingMore = ref(false)
  async function more(): Promise<void> {
    const cursor = live.data.value?.next
    if (!cursor || loadingMore.value) return
    loadingMore.value = true
    try {
      const page = await source.load(cursor)
      live.put((held) => withPage(held, page, keyOf, new Map(), true))
    } finally {
      loadingMore.value = false
    }
  }
  const rows = useSorted(live.data, source.sort)
  const unknown = computed(() => live.data.value?.unknown.size ?? 0)
  const showNew = () => live.reload()
  const tidy = () => live.put(withoutLeft)
  watch(() => toValue(source.params), tidy)
  const left = computed(() => live.data.value?.left ?? new Set<string>())
  const hasMore = computed(() => Boolean(live.data.value?.next))
  /** What a table of these rows needs. */
  const table = computed<ListTableOf<T>>(() => ({
    rows: rows.value,
    rowKey: keyOf,
    left: left.value,
    more,
    hasMore: hasMore.value,
    loadingMore: loadingMore.value,
  }))
  return { ...live, rows, table, left, unknown, showNew, tidy, put, more, hasMore, loadingMore }
}

/** Rows in order; the order is made anew at once when keys change, else at most once a second. */
function useSorted<T extends object>(
  data: { readonly value: Rows<T> | undefined },
  sort: (a: T, b: T) => number,
) {
  const order = shallowRef<string[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  const resort = () => {
    timer = undefined
    const held = data.value
    order.value = held ? [...held.rows].sort(([, a], [, b]) => sort(a, b)).map(([key]) => key) : []
  }
  watch(
    () => data.value,
    (held) => {
      const same = held?.rows.size === order.value.length && order.value.every((key) => held.rows.has(key))
      if (!same) resort()
      else timer ??= setTimeout(resort, SORT_EVERY)
    },
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(() => clearTimeout(timer))
  return computed<T[]>(() => {
    const held = data.value?.rows
    return held ? order.value.flatMap((key) => held.get(key) ?? []) : []
  })
}

/** What a table shows of a live list. */
export interface ListTableOf<T> {
  rows: T[]
  rowKey: (row: T) => string
  left?: Set<string>
  more?: () => unknown
  hasMore?: boolean
  loadingMore?: boolean
}
export type { Frame }
