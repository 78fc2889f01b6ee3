// Searching a log: the whole of it, cancellable, with a place among the hits.
import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Hit, LogSource } from './source'

const LIMIT = 10_000
const TYPING = 200

export function useLogSearch(source: Ref<LogSource>, version: Ref<number>, show: (line: number) => void) {
  const { t, locale } = useI18n()
  const query = ref('')
  const regex = ref(false)
  const hits = shallowRef<Hit[]>([])
  const place = ref(-1)
  const broken = ref(false)
  let stop = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined

  async function run(jump: boolean): Promise<void> {
    stop.abort()
    stop = new AbortController()
    const { signal } = stop
    broken.value = false
    const text = query.value ?? ''
    try {
      const found =
        text === '' ? [] : await source.value.search(text, { regex: regex.value, limit: LIMIT, signal })
      if (signal.aborted) return
      hits.value = found
    } catch {
      hits.value = []
      broken.value = true
    }
    if (!jump) return
    place.value = hits.value.length > 0 ? 0 : -1
    if (hits.value[0]) show(hits.value[0].line)
  }
  watch([query, regex, source], () => {
    clearTimeout(timer)
    timer = setTimeout(() => void run(true), TYPING)
  })
  watch(version, () => {
    if (!query.value) return
    clearTimeout(timer)
    timer = setTimeout(() => void run(false), TYPING * 5)
  })
  function step(by: number): void {
    if (hits.value.length === 0) return
    place.value = (place.value + by + hits.value.length) % hits.value.length
    show(hits.value[place.value]!.line)
  }
  const count = computed(() => hits.value.length)
  const number = (value: number) => new Intl.NumberFormat(locale.value).format(value)
  const label = computed(() => {
    if (broken.value) return t('log.badRegex')
    const all = count.value >= LIMIT ? `${number(LIMIT)}+` : number(count.value)
    return count.value === 0 ? t('log.noHits') : t('log.hit', { at: number(place.value + 1), all })
  })
  const current = computed(() => hits.value[place.value]?.line ?? null)
  return { query, regex, hits, step, count, label, current }
}
