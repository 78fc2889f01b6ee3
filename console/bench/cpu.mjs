// The CPU gate: what the page's thread works until a list is usable, and for each event on it; the best of four.
import { cold, cost, launch, openRuns, worked } from './harness/browser.mjs'
import { gate } from './harness/figures.mjs'
import { ask, leave, small, url } from './harness/stage.mjs'

const BEST_OF = small ? 1 : 4
const [ROWS, RATE] = [200, 200]
const IDLE = 500
const browser = await launch()

/** Work of a first visit to the list until it is live and rests. */
async function toInteractive() {
  const { context, page, cdp } = await cold(browser)
  await page.goto(`${url}/favicon.svg`) // the process of this origin: the counter begins with the process
  const work = await cost(cdp, async () => {
    await openRuns(page, 1)
    await page.waitForTimeout(IDLE)
  })
  await context.close()
  return work
}

const loads = []
for (let i = 0; i < BEST_OF; i++) loads.push(await toInteractive())
gate('to a usable list of runs', Math.min(...loads), 'ms', [400, 600])

const { page, cdp } = await cold(browser)
await openRuns(page, ROWS)
await page.waitForTimeout(IDLE)

/** Work for `count` events at `rate` a second, for each; what the page does without them is taken off. */
async function perEvent(count, rate) {
  const began = await worked(cdp)
  await ask('paint', { count, rate })
  await page.waitForTimeout(IDLE)
  return ((await worked(cdp)) - began) / count
}

for (const [told, count, rate] of [
  [`${RATE} a second`, small ? 100 : 600, RATE],
  ...(small ? [] : [['40 a second', 120, 40]]),
]) {
  const works = []
  for (let i = 0; i < BEST_OF; i++) works.push(await perEvent(count, rate))
  gate(`for an event on ${ROWS} rows, ${told}`, Math.min(...works), 'ms', [18, 25])
}
await browser.close()
leave()
