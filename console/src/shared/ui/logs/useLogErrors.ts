// Lines that tell of an error, for their marks: looked for in what is new, a moment after it came.
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue'
import { errorLines } from './opening'
import type { LogSource } from './source'
import { HOLD } from './store'

const MOST = 1000
const LATER = 1000

export function useLogErrors(source: Ref<LogSource>, version: Ref<number>) {
  const lines = shallowRef<readonly number[]>([])
  const stop = new AbortController()
  let seen = 0
  let work: Promise<void> = Promise.resolve()
  let timer: ReturnType<typeof setTimeout> | undefined

  /** A log that is not held would have to be read again for this: it has no marks. */
  async function look(): Promise<void> {
    timer = undefined
    const log = source.value
    if (log.bytes <= HOLD && lines.value.length < MOST && seen < log.lines) {
      const upTo = Math.max(0, log.lines - 1)
      const found = await errorLines(log, seen, MOST - lines.value.length, stop.signal)
      if (found.length > 0) lines.value = [...new Set([...lines.value, ...found])]
      seen = upTo
    }
  }
  watch(
    version,
    () => {
      timer ??= setTimeout(() => (work = work.then(look)), LATER)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    clearTimeout(timer)
    stop.abort()
  })
  return lines
}
