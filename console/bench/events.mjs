// From a commit to the paint: single events on an idle list, then 200 a second round robin over 200 rows.
import { cold, launch, openRuns } from './harness/browser.mjs'
import { note, quantile, wall } from './harness/figures.mjs'
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
const { page } = await cold(browser)
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
await browser.close()
leave()
