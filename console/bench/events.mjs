// The page's side of tests/bench/console.py: words come on standard input, each is answered by one line of JSON.
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const [url] = process.argv.slice(2)
const ARGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
const ROWS = 200
const browser = await chromium.launch({ executablePath: process.env.CONSOLE_CHROMIUM, args: ARGS.split(' ') })

/** A fresh browser context that is signed in. */
async function cold() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' })
  await context.addCookies([{ name: 'sw_session', value: process.env.BENCH_COOKIE, url }])
  return context
}

/** Bytes on the wire and the largest paint of a first visit. */
async function load() {
  const context = await cold()
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  await cdp.send('Network.enable')
  const kinds = new Map()
  const found = { js: 0, css: 0, fonts: 0 }
  cdp.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type))
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId)
    if (kind === 'Script') found.js += encodedDataLength
    if (kind === 'Stylesheet') found.css += encodedDataLength
    if (kind === 'Font') found.fonts += 1
  })
  await page.addInitScript(() => {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.lcp = entry.startTime
    }).observe({ type: 'largest-contentful-paint', buffered: true })
  })
  await page.goto(`${url}/runs`)
  await page.locator('tbody tr').first().waitFor()
  await page.waitForTimeout(1000)
  const lcp = await page.evaluate(() => globalThis.lcp ?? 0)
  await context.close()
  return { ...found, lcp }
}

let page
let cdp
let busy = 0

/** Open the list and load all of its rows; from then on every version that is painted is noted with its time. */
async function list() {
  const context = await cold()
  page = await context.newPage()
  cdp = await context.newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.goto(`${url}/runs`)
  await page.getByText('Live', { exact: true }).waitFor()
  const rows = page.locator('tbody tr')
  await rows.first().waitFor()
  while ((await rows.count()) < ROWS) {
    const held = await rows.count()
    await page.locator('.sw-more button').click()
    await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length > n, held)
  }
  await page.evaluate(watchRows)
  return { rows: await rows.count() }
}

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

/** Milliseconds that the page's thread has worked. */
async function worked() {
  const { metrics } = await cdp.send('Performance.getMetrics')
  return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value
}

async function begin() {
  await page.evaluate(() => {
    globalThis.painted = {}
  })
  busy = await worked()
  return {}
}

async function end() {
  return { cpu: (await worked()) - busy, painted: await page.evaluate(() => globalThis.painted) }
}

const words = { load, list, begin, end }
for await (const word of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await words[word]()))
await browser.close()
