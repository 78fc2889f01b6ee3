// How the log's box moves: scaled scrolling, follow, keys, touch, selection and copy (console.md §7.1, §9.3).
import { nextTick, onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue'
import { ScaledScroll, type Window } from './scroll'
import { useSelection } from './selection'
import type { LogSource } from './source'
import { pan } from './touch'

const MOVES: Record<string, (it: ScaledScroll) => number> = {
  ArrowUp: (it) => it.top - it.row,
  ArrowDown: (it) => it.top + it.row,
  PageUp: (it) => it.top - (it.view - it.row),
  PageDown: (it) => it.top + (it.view - it.row),
}

/** Drive the box of `source`; `version` grows when lines were added or loaded; `row` is the height of a line. */
export function useLogBox(
  source: Ref<LogSource>,
  version: Ref<number>,
  follow: Ref<boolean>,
  row: Ref<number>,
) {
  const element = ref<HTMLElement | null>(null)
  const rows = ref<HTMLElement | null>(null)
  const painted = shallowRef<Window>({ first: 0, count: 0, shift: 0 })
  const spacer = ref(0)
  const whole = shallowRef(new Set<number>())
  let scroll: ScaledScroll | null = null
  let sizes: ResizeObserver | undefined
  const selection = useSelection(element, source)

  function paint(): void {
    if (scroll !== null) painted.value = scroll.window()
  }
  /** Make room for all lines there are; done with the next update of the page. */
  function measure(): Promise<void> {
    if (scroll === null) return Promise.resolve()
    scroll.lines = source.value.lines
    spacer.value = scroll.spacer
    element.value!.style.touchAction = scroll.ratio > 1.0001 ? 'pan-x' : ''
    return nextTick()
  }
  function refresh(): void {
    void measure().then(() => {
      if (follow.value) scroll?.setTop(scroll.full)
      paint()
      void nextTick(widen)
    })
  }
  /** The widest line painted so far keeps its room, so that the width does not jump. */
  function widen(): void {
    const node = rows.value
    if (node)
      node.style.minWidth = `${Math.max(node.scrollWidth, Number.parseInt(node.style.minWidth) || 0)}px`
  }
  function go(act: (scroll: ScaledScroll) => void): void {
    if (scroll === null) return
    act(scroll)
    paint()
  }
  const show = (line: number) => {
    follow.value = false
    void measure().then(() => go((it) => it.show(line)))
  }
  const toEnd = () => {
    follow.value = true
    go((it) => it.setTop(it.full))
  }
  const toStart = () => {
    follow.value = false
    go((it) => it.setTop(0))
  }
  const firstVisible = () => Math.floor((scroll?.top ?? 0) / row.value)
  const lastVisible = () =>
    scroll === null
      ? 0
      : Math.max(0, Math.min(scroll.lines, Math.floor((scroll.top + scroll.view) / row.value)) - 1)
  function onScroll(): void {
    if (scroll === null) return
    if (scroll.scrolled()) follow.value = scroll.atEnd
    paint()
  }
  function onWheel(event: WheelEvent): void {
    if (scroll === null) return
    if (event.deltaY < 0) follow.value = false
    if (scroll.ratio <= 1.0001) return
    event.preventDefault()
    go((it) => it.setTop(it.top + it.wheel(event.deltaY, event.deltaMode)))
    element.value!.scrollLeft += event.deltaX
    if (event.deltaY > 0 && scroll.atEnd) follow.value = true
  }
  function onKey(event: KeyboardEvent): void {
    const move = MOVES[event.key]
    if (event.key === 'Home') toStart()
    else if (event.key === 'End') toEnd()
    else if (move) {
      if (event.key.endsWith('Up')) follow.value = false
      go((it) => it.setTop(move(it)))
    } else if ((event.ctrlKey || event.metaKey) && event.code === 'KeyA') selection.all()
    else return
    event.preventDefault()
  }
  function onPointer(event: PointerEvent): void {
    selection.clear()
    if (
      event.pointerType !== 'touch' &&
      event.button === 0 &&
      (event.target as Element).closest('.sw-log-text')
    )
      follow.value = false
    if (event.pointerType === 'touch' && scroll !== null && scroll.ratio > 1.0001)
      pan(event, (by) => {
        if (by < 0) follow.value = false
        go((it) => it.setTop(it.top + by))
      })
  }
  const showWhole = (line: number) => (whole.value = new Set(whole.value).add(line))

  let frame = 0
  const soon = () => {
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(refresh)
  }
  onMounted(() => {
    scroll = new ScaledScroll(element.value!, source.value.lines, row.value)
    element.value!.addEventListener('wheel', onWheel, { passive: false })
    sizes = new ResizeObserver(soon)
    sizes.observe(element.value!)
    refresh()
  })
  onBeforeUnmount(() => {
    cancelAnimationFrame(frame)
    sizes?.disconnect()
  })
  watch([version, follow], soon)
  /** Other heights: the line on top stays on top. */
  watch(row, (height, before) => {
    if (scroll === null) return
    const top = (scroll.top / before) * height
    scroll.row = height
    void measure().then(() => go((it) => it.setTop(follow.value ? it.full : top)))
  })
  watch(source, () => {
    selection.clear()
    refresh()
  })
  return {
    element,
    rows,
    painted,
    spacer,
    whole,
    show,
    toEnd,
    toStart,
    firstVisible,
    lastVisible,
    onScroll,
    onKey,
    onPointer,
    onCopy: selection.onCopy,
    pins: selection.pins,
    showWhole,
  }
}
