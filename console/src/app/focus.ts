// Where the focus goes when a page opens: to the row that one came from, else to the heading, as soon as there is one.
import { nextTick } from 'vue'

const PATIENCE = 5000
let stop: () => void = () => undefined

function target(row: string | undefined): HTMLElement | null {
  const known = row && document.querySelector<HTMLElement>(`[data-row="${CSS.escape(row)}"]`)
  return (known && known.querySelector<HTMLElement>('a[href], button')) || document.querySelector('h1')
}

/** Move the focus; give up when the person put it elsewhere meanwhile. */
export function focusPage(row?: string | string[]): void {
  stop()
  const before = document.activeElement
  const look = (): void => {
    const moved = document.activeElement !== before && document.activeElement !== document.body
    const found = moved ? null : target(typeof row === 'string' ? row : undefined)
    found?.focus({ preventScroll: true })
    if (moved || found) stop()
  }
  const observer = new MutationObserver(look)
  const timer = setTimeout(() => stop(), PATIENCE)
  stop = () => {
    observer.disconnect()
    clearTimeout(timer)
  }
  void nextTick(() => {
    observer.observe(document.body, { childList: true, subtree: true })
    look()
  })
}
