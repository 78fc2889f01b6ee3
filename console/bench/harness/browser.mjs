// One way to open the console in a real browser, signed in, and to ask the browser what it cost.
import { chromium } from 'playwright-core'
import { url } from './stage.mjs'

const ARGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

/** Start Chromium; `more` are further launch flags. */
export const launch = (...more) =>
  chromium.launch({ executablePath: process.env.CONSOLE_CHROMIUM, args: [...ARGS.split(' '), ...more] })

/** A page of a fresh context that is signed in: nothing cached. `viewport` null leaves the window as it is. */
export async function cold(browser, viewport = { width: 1280, height: 800 }) {
  const context = await browser.newContext({ viewport, locale: 'en-US' })
  await context.addCookies([{ name: 'sw_session', value: process.env.BENCH_COOKIE, url }])
  const page = await context.newPage()
  page.on('pageerror', (error) => console.log(`page error: ${error.message}`))
  const cdp = await context.newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  return { context, page, cdp }
}

/** Milliseconds that the page's thread has worked: other programs do not count. */
export async function worked(cdp) {
  const { metrics } = await cdp.send('Performance.getMetrics')
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value
}

/** Run `act` and return what it cost the page's thread, in milliseconds. */
export async function cost(cdp, act) {
  const before = await worked(cdp)
  await act()
  return (await worked(cdp)) - before
}

/** Bytes that live after a collection: objects of scripts, and what buffers hold. */
export async function heap(cdp) {
  await cdp.send('HeapProfiler.enable')
  await cdp.send('HeapProfiler.collectGarbage')
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize, backingStorageSize } = await cdp.send('Runtime.getHeapUsage')
  return { objects: usedSize, buffers: backingStorageSize }
}

/** Watch the page from its first moment: `globalThis.seen` holds paint, shifts and long tasks. */
export const watched = (page) =>
  page.addInitScript(() => {
    const seen = (globalThis.seen = { lcp: 0, cls: 0, tasks: [] })
    const watch = (type, take) =>
      new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
    watch('largest-contentful-paint', (entry) => (seen.lcp = entry.startTime))
    watch('layout-shift', (entry) => (seen.cls += entry.hadRecentInput ? 0 : entry.value))
    watch('longtask', (entry) => seen.tasks.push(Math.round(entry.duration)))
  })

export const seen = (page) => page.evaluate(() => globalThis.seen)

/** Forget the long tasks so far; `seen` tells those that follow. */
export const forgetTasks = (page) => page.evaluate(() => void (globalThis.seen.tasks.length = 0))

/** Open the list of runs, live, with at least `rows` rows. */
export async function openRuns(page, rows) {
  await page.goto(`${url}/runs`)
  await page.getByText('Live', { exact: true }).waitFor()
  const shown = page.locator('tbody tr')
  await shown.first().waitFor()
  for (let held = await shown.count(); held < rows; held = await shown.count()) {
    await page.locator('.sw-more button').click()
    await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length > n, held)
  }
}
