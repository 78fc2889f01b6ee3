// Follow a topic as long as the component lives; the topic may change.
import { onScopeDispose, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { mux } from './link'
import type { Handler } from './topics'

/** Subscribe `handler` to `topic`; null follows nothing. */
export function useFeed(topic: MaybeRefOrGetter<string | null>, handler: Handler): void {
  let leave: (() => void) | null = null
  const follow = (name: string | null) => {
    leave?.()
    leave = name === null ? null : mux.subscribe(name, handler)
  }
  watch(() => toValue(topic), follow, { immediate: true })
  onScopeDispose(() => leave?.())
}
