// One ticker for all times on the page, and the person's zone. It stops when the page is hidden.
import { computed, ref, shallowRef } from 'vue'
import { serverNow } from '../realtime/link'

const SOON = 1000
const now = shallowRef(serverNow())
let timer: ReturnType<typeof setInterval> | undefined

function run(): void {
  clearInterval(timer)
  if (document.hidden) return
  now.value = serverNow()
  timer = setInterval(() => (now.value = serverNow()), SOON)
}
run()
document.addEventListener('visibilitychange', run)

/** The server's present time, ticking once a second. */
export function useNow() {
  return now
}

const slow = computed(() => Math.floor(now.value / 30_000) * 30_000)

/** The present time as coarse as `at` needs: by the second within two minutes, else every half minute. */
export function nowFor(at: number): number {
  return Math.abs(slow.value - at) < 120_000 ? now.value : Math.max(slow.value, at > now.value ? 0 : at)
}

const zone = ref<string | undefined>(undefined)

/** The zone in which times are shown; undefined is the browser's. */
export function useZone() {
  return zone
}
