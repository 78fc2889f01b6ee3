// First visits of the list of runs: bytes on the wire, largest paint, shifts, long tasks; then on a slow machine and line.
import { cold, launch, seen, watched } from './harness/browser.mjs'
import { gate, note, wall } from './harness/figures.mjs'
import { leave, small, url } from './harness/stage.mjs'

const VISITS = small ? 1 : 5
const SLOW = { offline: false, latency: 40, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8 }
const browser = await launch()

/** Count what comes over the wire, by what it is. */
async function counted(cdp) {
  const kinds = new Map()
  const bytes = { Script: 0, Stylesheet: 0, Font: 0 }
  await cdp.send('Network.enable')
  cdp.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type))
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId)
    if (kind in bytes) bytes[kind] += encodedDataLength
  })
  return bytes
}

/** One visit with nothing cached. */
async function visit({ slow = false } = {}) {
  const { context, page, cdp } = await cold(browser)
  await watched(page)
  const bytes = await counted(cdp)
  if (slow) {
    await cdp.send('Network.emulateNetworkConditions', SLOW)
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  }
  await page.goto(`${url}/runs`)
  await page.locator('tbody tr').first().waitFor()
  await page.waitForTimeout(1000)
  const found = { ...(await seen(page)), bytes }
  await context.close()
  return found
}

async function visits(count, how) {
  const all = []
  for (let i = 0; i < count; i++) all.push(await visit(how))
  return all
}

const least = (all, of) => Math.min(...all.map(of))
const longest = ({ tasks }) => Math.max(0, ...tasks)
const plain = await visits(VISITS)
gate('scripts as sent', least(plain, ({ bytes }) => bytes.Script) / 1000, 'KB', [230, 260])
gate('styles as sent', least(plain, ({ bytes }) => bytes.Stylesheet) / 1000, 'KB', [50, 60])
gate('fonts as sent', least(plain, ({ bytes }) => bytes.Font) / 1000, 'KB', [0, 0])
wall('largest paint', least(plain, ({ lcp }) => lcp) / 1000, 's', [0.8, 1.5])
wall('layout shift', Math.max(...plain.map(({ cls }) => cls)), '', [0.02, 0.05])
note('longest task', least(plain, longest), 'ms')
const slow = await visits(small ? 0 : 3, { slow: true })
if (slow.length > 0) {
  wall('4 x CPU, 10 Mbit/s, 40 ms: largest paint', least(slow, ({ lcp }) => lcp) / 1000, 's', [2, 2.5])
  note('4 x CPU, 10 Mbit/s, 40 ms: longest task', least(slow, longest), 'ms')
}
await browser.close()
leave()
