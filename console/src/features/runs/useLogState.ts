// What a log stream is, as a sentence: `live · 3 s ago`, `ended 12:04:11 · 48 211 lines · 7.9 MB` (console.md §7.1.12).
import { computed, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { absolute, bytes, relative, timeOfDay } from '@/shared/i18n/time'
import { nowFor, useZone } from '@/shared/ui/clock'
import type { LogTail } from '@/shared/ui/logs/tail'

const DAY = 86_400_000

/** Describe `tail`; it changes with `version`. `going`: its attempt still runs. */
export function useLogState(tail: Ref<LogTail | null>, version: Ref<number>, going: Ref<boolean>) {
  const { t, locale } = useI18n()
  const zone = useZone()
  const now = computed(() => {
    void version.value
    const it = tail.value
    return (
      it && {
        held: it.held,
        heardAt: it.heardAt,
        end: it.end,
        complete: it.complete,
        hole: it.hole,
        log: it.store,
      }
    )
  })
  const live = computed(() => going.value && now.value !== null && now.value.end === null)
  const number = (value: number) => new Intl.NumberFormat(locale.value).format(value)
  function endedAt(at: string | null | undefined): string {
    const time = at ? Date.parse(at) : Number.NaN
    if (Number.isNaN(time)) return ''
    const old = nowFor(time) - time > DAY
    return old ? absolute(time, locale.value, zone.value) : timeOfDay(time, locale.value, zone.value)
  }
  const status = computed(() => {
    if (now.value === null) return ''
    const { held, heardAt, end, complete, log } = now.value
    const size = bytes(held, locale.value)
    const lines = t('log.lines', { n: number(log.lines) }, log.lines)
    if (complete) return [t('runs.logEnded', { at: endedAt(end?.at) }).trim(), lines, size].join(' · ')
    if (!live.value) return `${t('runs.logStored', { size })} · ${lines}`
    if (!heardAt) return t('runs.logWaiting')
    const ago = relative(heardAt, Math.max(heardAt, nowFor(heardAt)), locale.value)
    return `${t('runs.logLive', { ago })} · ${lines} · ${size}`
  })
  const gap = computed(() => {
    const hole = now.value?.hole
    if (!hole) return null
    return t('runs.logHole', { size: bytes(hole.to - hole.from, locale.value), line: number(hole.line + 1) })
  })
  const complete = computed(() => now.value?.complete ?? false)
  return { live, status, gap, complete }
}
