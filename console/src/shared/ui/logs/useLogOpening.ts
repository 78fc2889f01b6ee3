// Opens a log once at the place that matters, as soon as it is known which (console.md §7.1.1).
import { watch, type Ref } from 'vue'
import { firstError, openingOf } from './opening'
import type { LogSource } from './source'

interface Opening {
  source: Ref<LogSource>
  live: Ref<boolean>
  failed: Ref<boolean>
  /** Everything is here. */
  complete: Ref<boolean>
  range: Ref<[number, number] | null>
  follow: Ref<boolean>
  wanted: () => boolean
  show: (line: number) => void
}

export function useLogOpening({
  source,
  live,
  failed,
  complete,
  range,
  follow,
  wanted,
  show,
}: Opening): void {
  let opened = false
  watch(
    [live, complete],
    async () => {
      const how = openingOf({
        live: live.value,
        failed: failed.value,
        linked: range.value !== null,
        follows: wanted(),
      })
      if (opened || how === 'link') return
      if (how === 'end') follow.value = opened = true
      if (how !== 'error' || !complete.value) return
      opened = true
      const line = await firstError(source.value)
      if (range.value === null) show(line)
    },
    { immediate: true, flush: 'post' },
  )
}
