// The last line of a million is reached and seen in Firefox, which lays out fewer pixels than Chromium.
import { accessSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { must, note } from './harness/figures.mjs'
import { lastSeen, loadLog, toEnd } from './harness/logs.mjs'
import { ask, leave, url } from './harness/stage.mjs'

/** The browser's program, or undefined. */
function find() {
  const places = process.env.PATH.split(delimiter).map((folder) => join(folder, 'firefox-esr'))
  return [process.env.CONSOLE_FIREFOX, ...places].find((path) => {
    try {
      accessSync(path)
      return true
    } catch {
      return false
    }
  })
}

const executablePath = find()
if (executablePath === undefined) {
  console.log('skipped: there is no Firefox here: install firefox-esr, or name one in CONSOLE_FIREFOX')
  leave()
}
const log = await ask('log', { kind: 'short', lines: 1_000_000 })
const last = `count ${log.lines}`
const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath,
  headless: true,
  defaultViewport: null, // the older Firefox does not know all that a viewport asks for
  args: ['--width=1280', '--height=800'],
})
console.log(await browser.version())
const [name, value] = ['sw_session', process.env.BENCH_COOKIE]
await browser.setCookie({
  name,
  value,
  domain: new URL(url).hostname,
  path: '/',
  httpOnly: true,
  sameSite: 'Lax',
})
const page = await browser.newPage()
await page.goto(`${url}/runs`)
await page.waitForSelector('tbody tr')
note('load of a log of 1,000,000 short lines', (await loadLog(page, log)) / 1000, 's')
for (const how of ['End', 'bar']) {
  await page.evaluate(toEnd, 'Home')
  const first = await page.evaluate(lastSeen)
  await page.evaluate(toEnd, how)
  const shown = await page.evaluate(lastSeen)
  const way = how === 'bar' ? 'scroll bar' : 'key End'
  must(`by ${way}: the last line is seen`, first !== last && shown === last, shown || 'nothing')
}
await browser.close()
leave()
