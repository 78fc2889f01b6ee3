// The last line of a million is reached and seen, whatever the screen: a browser clamps heights at device pixels.
import { cold, launch, openRuns } from './harness/browser.mjs'
import { must } from './harness/figures.mjs'
import { lastSeen, loadLog, toEnd } from './harness/logs.mjs'
import { ask, leave } from './harness/stage.mjs'

const log = await ask('log', { kind: 'short', lines: 1_000_000 })
const last = `count ${log.lines}`
for (const scale of [1, 2, 3]) {
  const browser = await launch(`--force-device-scale-factor=${scale}`, '--window-size=1280,800')
  const { page } = await cold(browser, null)
  await openRuns(page, 1)
  await loadLog(page, log)
  const real = await page.evaluate(() => devicePixelRatio)
  for (const how of ['End', 'bar']) {
    await page.evaluate(toEnd, 'Home')
    const first = await page.evaluate(lastSeen)
    await page.evaluate(toEnd, how)
    const shown = await page.evaluate(lastSeen)
    const way = how === 'bar' ? 'scroll bar' : 'key End'
    const held = real === scale && first !== last && shown === last
    must(`scale ${scale}, by ${way}: the last line is seen`, held, `${shown || 'nothing'}, scale ${real}`)
  }
  await browser.close()
}
leave()
