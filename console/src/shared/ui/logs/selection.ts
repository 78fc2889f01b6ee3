// What is selected in a log, also where the rows have left the document: copies come from the store.
import { onBeforeUnmount, onMounted, shallowRef, type Ref } from 'vue'
import { plain } from './ansi'
import type { LogSource } from './source'

interface Place {
  line: number
  column: number
}
const MOST_COPIED = 64_000_000

/** Find the line and column of a selection's end; null outside the painted rows. */
function placeOf(node: Node | null, offset: number): Place | null {
  const element = node instanceof Element ? node : node?.parentElement
  const row = element?.closest<HTMLElement>('[data-line]')
  const text = row?.querySelector('.sw-log-text')
  if (!row || !text || node === null) return null
  const range = document.createRange()
  range.selectNodeContents(text)
  try {
    range.setEnd(node, offset)
  } catch {
    return { line: Number(row.dataset.line), column: 0 }
  }
  return { line: Number(row.dataset.line), column: text.contains(node) ? range.toString().length : 0 }
}

/** Return the text between two places, without numbers and escape codes. */
export function textBetween(source: LogSource, one: Place, other: Place): string {
  const [from, to] =
    one.line < other.line || (one.line === other.line && one.column <= other.column)
      ? [one, other]
      : [other, one]
  const lines: string[] = []
  let size = 0
  for (let i = from.line; i <= to.line && size < MOST_COPIED; i++) {
    const text = plain(source.line(i) ?? '')
    size += text.length
    lines.push(text.slice(i === from.line ? from.column : 0, i === to.line ? to.column : undefined))
  }
  return lines.join('\n')
}

export function useSelection(element: Ref<HTMLElement | null>, source: Ref<LogSource>) {
  let anchor: Place | null = null
  let focus: Place | null = null
  /** Rows with an end of the selection: they stay in the document, or the browser would lose it. */
  const pins = shallowRef<readonly number[]>([])
  const clear = () => {
    anchor = focus = null
    pins.value = []
  }
  const all = () => {
    anchor = { line: 0, column: 0 }
    focus = { line: source.value.lines - 1, column: Number.MAX_SAFE_INTEGER }
  }
  function changed(): void {
    const now = document.getSelection()
    if (now === null || now.isCollapsed || !element.value?.contains(now.focusNode)) return
    anchor = placeOf(now.anchorNode, now.anchorOffset) ?? anchor
    focus = placeOf(now.focusNode, now.focusOffset) ?? focus
    pins.value = [...new Set([anchor, focus].flatMap((place) => (place ? [place.line] : [])))]
  }
  function onCopy(event: ClipboardEvent): void {
    if (anchor === null || focus === null) return
    event.clipboardData?.setData('text/plain', textBetween(source.value, anchor, focus))
    event.preventDefault()
  }
  onMounted(() => document.addEventListener('selectionchange', changed))
  onBeforeUnmount(() => document.removeEventListener('selectionchange', changed))
  return { all, clear, onCopy, pins }
}
