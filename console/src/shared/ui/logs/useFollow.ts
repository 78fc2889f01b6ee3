// Following a live log: the person's choice is kept; scrolling away only pauses, and what came meanwhile is counted.
import { computed, ref, watch, type Ref } from 'vue'
import { usePerson } from '../../api/person'
import type { LogSource } from './source'

export function useFollow(source: Ref<LogSource>, version: Ref<number>, live: Ref<boolean>) {
  const person = usePerson()
  const follow = ref(false)
  const pausedAt = ref(0)
  watch(follow, (on) => (pausedAt.value = on ? 0 : source.value.lines))
  const fresh = computed(() => {
    void version.value
    return follow.value || !live.value ? 0 : Math.max(0, source.value.lines - pausedAt.value)
  })
  function choose(on: boolean): void {
    follow.value = on
    void person.prefer({ follow: on })
  }
  return { follow, fresh, choose, wanted: () => person.preferences().follow ?? true }
}
