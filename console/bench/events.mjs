// From a commit to the paint: single events, 200 a second, over a dropped socket, and by polling.
import { cold, launch, openRuns } from './harness/browser.mjs'
import { must, note, quantile, wall } from './harness/figures.mjs'
import { ask, leave, small } from './harness/stage.mjs'

const ROWS = 200
const SETTLE = 1500

/** In the page: note after the paint which versions stand in changed cells. */
function watchRows() {
  globalThis.painted = {}
  const fresh = new Set()
  const channel = new MessageChannel()
  channel.port1.onmessage = () => {
    const now = performance.timeOrigin + performance.now()
    for (const name of fresh) globalThis.painted[name] ??= now
    fresh.clear()
  }
  new MutationObserver((changes) => {
    if (fresh.size === 0) requestAnimationFrame(() => channel.port2.postMessage(null))
    for (const { target, addedNodes } of changes)
      for (const node of [target, ...addedNodes])
        for (const [, version] of (node.textContent ?? '').matchAll(/\bm(\d+)\b/g)) fresh.add(version)
  }).observe(document.querySelector('tbody'), { subtree: true, childList: true, characterData: true })
}

/** Let `count` versions be committed; return how long each painted one took. */
async function waits(page, count, rate) {
  const { committed } = await ask('paint', { count, rate })
  await page.waitForTimeout(SETTLE)
  const painted = await page.evaluate(() => globalThis.painted)
  return Object.keys(committed)
    .filter((name) => name in painted)
    .map((name) => painted[name] - committed[name])
}

const browser = await launch()
const { page, context } = await cold(browser)
await openRuns(page, ROWS)
await page.evaluate(watchRows)
const single = await waits(page, small ? 3 : 20, 2)
note('single events on an idle list, commit to paint: p50', quantile(single, 0.5), 'ms')
wall('  p99', quantile(single, 0.99), 'ms', [150])
const count = small ? 200 : 3000
const many = await waits(page, count, 200)
note(`200 events a second on ${ROWS} rows, commit to paint: p50`, quantile(many, 0.5), 'ms')
wall('  p95', quantile(many, 0.95), 'ms', [250])
wall('  p99', quantile(many, 0.99), 'ms', [400])
note(`  painted of ${count}; the others by a newer version of their row`, many.length, '')
await context.close()

const line = await cold(browser)
const sockets = new Set()
let refused = false
await line.page.routeWebSocket(/realtime/, (socket) => {
  if (refused) return void socket.close()
  sockets.add([socket, socket.connectToServer()])
})

/** Cut the page's sockets without a word. */
async function drop() {
  await Promise.all([...sockets].flat().map((socket) => socket.close()))
  sockets.clear()
}

/** Wait until everything committed is painted; return how long after its commit each was. */
async function painted(committed) {
  const names = Object.keys(committed)
  const all = (wanted) => wanted.every((name) => name in globalThis.painted)
  await line.page.waitForFunction(all, names, { timeout: 15_000 })
  const at = await line.page.evaluate(() => globalThis.painted)
  return names.map((name) => at[name] - committed[name])
}

await openRuns(line.page, ROWS)
await line.page.evaluate(watchRows)
const began = performance.now()
await drop()
const missed = await painted((await ask('paint', { count: 20, rate: 100 })).committed)
wall('a dropped socket: back, and what was missed painted', (performance.now() - began) / 1000, 's', [3])
must('  nothing is lost', missed.length === 20, `${missed.length} of 20`)
refused = true
await drop()
await line.page.getByText('Updating every 5 s', { exact: true }).first().waitFor()
const polled = await painted((await ask('paint', { count: small ? 1 : 4, rate: 0.7 })).committed)
wall('sockets refused, commit to paint by polling', Math.max(...polled) / 1000, 's', [5.5])
await browser.close()
leave()
