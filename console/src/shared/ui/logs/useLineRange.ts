// `#L120-L140` in the address: numbers of lines from 1, stable on live logs.
import { computed, nextTick, ref, watch, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { placeName } from './excerpt'

/** Read `#L5` or `#L5-L9` as lines from 0; null for anything else. */
export function readRange(hash: string): [number, number] | null {
  const found = /^#L(\d+)(?:-L?(\d+))?$/.exec(hash)
  if (!found) return null
  const [from, to] = [Number(found[1]) - 1, Number(found[2] ?? found[1]) - 1]
  return from < 0 ? null : [Math.min(from, to), Math.max(from, to)]
}

/** `lines` grows while the log is read: the linked line is shown once it is there. */
export function useLineRange(lines: Ref<number>, show: (line: number) => void) {
  const [route, router] = [useRoute(), useRouter()]
  const range = ref(readRange(route.hash))
  const stop = watch(
    lines,
    (count) => {
      if (range.value === null || count <= range.value[0]) return
      const line = range.value[0]
      void nextTick(() => {
        stop()
        requestAnimationFrame(() => show(line))
      })
    },
    { immediate: true },
  )
  function pick(line: number, extend: boolean): void {
    const from = extend && range.value ? range.value[0] : line
    range.value = [Math.min(from, line), Math.max(from, line)]
    void router.replace({ query: route.query, hash: `#${placeName(range.value)}` })
  }
  const link = computed(() => {
    void range.value
    return `${location.origin}${route.fullPath}`
  })
  return { range, pick, link }
}
