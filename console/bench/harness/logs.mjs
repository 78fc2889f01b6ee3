// What the scripts about logs do with a page: go to a log, wait for its end, look at what is on the screen.

/** What the foot says when `lines` are here: the number by itself, whatever stands around it. */
const says = (lines) => `(?<![\\d,])${new Intl.NumberFormat('en').format(lines)}(?![\\d,])`

/** In the page: go there as a link does, and wait until the log says that it has ended with its lines. Milliseconds. */
function follow([path, lines]) {
  const began = performance.now()
  history.pushState({}, '', path)
  dispatchEvent(new PopStateEvent('popstate', { state: {} }))
  return new Promise((resolve) => {
    const look = () => {
      const foot = document.querySelector('.sw-log-foot')?.textContent ?? ''
      if (foot.includes('Ended') && new RegExp(lines).test(foot)) resolve(performance.now() - began)
      else setTimeout(look, 20)
    }
    look()
  })
}

/** Load a finished log; return how long it took. */
export const loadLog = (page, { path, lines }) => page.evaluate(follow, [path, says(lines)])

/** Wait until a live log has `lines` lines. */
export const reached = (page, lines) =>
  page.waitForFunction(
    (wanted) => new RegExp(wanted).test(document.querySelector('.sw-log-foot')?.textContent ?? ''),
    says(lines),
  )

/** In the page: the text of the last row that can be seen whole, not only is in the document. */
export function lastSeen() {
  const box = document.querySelector('.sw-log').getBoundingClientRect()
  const rows = [...document.querySelectorAll('.sw-log-row')].toReversed()
  for (const row of rows) {
    const text = row.querySelector('.sw-log-text')
    const { left, top, bottom } = text.getBoundingClientRect()
    if (top < box.top || bottom > box.bottom + 1) continue
    const found = document.elementFromPoint(Math.max(left, box.left) + 4, (top + bottom) / 2)
    if (text.contains(found)) return text.textContent
  }
  return ''
}

/** In the page: go to the end as somebody who drags the scroll bar, or as the key does. */
export function toEnd(how) {
  const box = document.querySelector('.sw-log')
  if (how === 'bar') box.scrollTop = box.scrollHeight
  else box.dispatchEvent(new KeyboardEvent('keydown', { key: how, bubbles: true }))
  return new Promise((resolve) => setTimeout(resolve, 200))
}

/** In the page: jump by the scroll bar; milliseconds to the paint of each, and whether it showed the line it named. */
export async function jumps(count) {
  const box = document.querySelector('.sw-log')
  const painted = () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => resolve(port1.close())
      requestAnimationFrame(() => port2.postMessage(0))
    })
  const [times, wrong] = [[], []]
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    box.scrollTop = ((i * 7919) % 997) * ((box.scrollHeight - box.clientHeight) / 997)
    await painted()
    times.push(performance.now() - began)
    const { left, top, height } = box.getBoundingClientRect()
    const row = document.elementFromPoint(left + 60, top + height / 2)?.closest('.sw-log-row')
    const line = Number(row?.dataset.line ?? -2) + 1
    if (!row?.textContent.includes(` step ${line}:`)) wrong.push(line)
  }
  return { times, wrong }
}

/** In the page: begin to count frames; the other one ends it and says how many a second. */
export function countFrames() {
  const frames = (globalThis.frames = [])
  const next = (now) => globalThis.frames === frames && (frames.push(now), requestAnimationFrame(next))
  requestAnimationFrame(next)
}
export function framesCounted() {
  const frames = globalThis.frames
  globalThis.frames = null
  return { count: frames.length, fps: (1000 * (frames.length - 1)) / (frames.at(-1) - frames[0]) }
}
