// A log of a million lines in the viewer, all of it held and as the console ships; then a live tail.
import { cold, cost, forgetTasks, heap, launch, openRuns, seen, watched } from './harness/browser.mjs'
import { gate, must, note, quantile, wall } from './harness/figures.mjs'
import { countFrames, framesCounted, jumps, lastSeen, loadLog, reached } from './harness/logs.mjs'
import { ask, leave, small } from './harness/stage.mjs'

const LINES = small ? 20_000 : 1_000_000
const RARE = `step ${Math.floor(LINES * 0.777)}:`
const [RATE, SECONDS] = [2500, small ? 1 : 8]
const HOLD = /\b64e6\b/g // the limit in the built code above which a log is held in part
const MB = 1e6
const browser = await launch()
const log = await ask('log', { kind: 'long', lines: LINES })
const tail = await ask('tail')

/** A page that has loaded what it needs for logs; `hold` raises how much of one is held. */
async function opened(hold) {
  const made = await cold(browser)
  await watched(made.page)
  let raised = 0
  if (hold)
    await made.page.route('**/assets/*.js', async (route) => {
      const text = await (await route.fetch()).text()
      const body = text.replace(HOLD, '1e9')
      if (body !== text) raised += 1
      await route.fulfill({ contentType: 'text/javascript', body })
    })
  await openRuns(made.page, 1)
  await made.page.evaluate((path) => {
    history.pushState({}, '', path)
    dispatchEvent(new PopStateEvent('popstate', { state: {} }))
  }, tail.path)
  await reached(made.page, 1)
  await made.page.unroute('**/assets/*.js')
  if (hold && raised === 0) throw new Error('the limit of what is held was not found in the built console')
  return made
}

const longestTask = async (page) => Math.max(0, ...(await seen(page)).tasks)

/** Load, and what is held then. */
async function load({ page, cdp }, told, goals) {
  const before = await heap(cdp)
  await forgetTasks(page)
  let took = 0
  const work = await cost(cdp, async () => {
    took = await loadLog(page, log)
  })
  wall(`${told}: load`, took / 1000, 's', [6])
  note('  CPU of the page', work, 'ms')
  wall('  longest task', await longestTask(page), 'ms', [100])
  const after = await heap(cdp)
  gate('  memory: buffers', (after.buffers - before.buffers) / MB, 'MB', goals.buffers)
  gate('  memory: objects of scripts, the whole page', after.objects / MB, 'MB', goals.objects)
}

/** The wheel for some seconds. */
async function scroll({ page, cdp }) {
  const box = await page.locator('.sw-log').boundingBox()
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  const top = () => page.evaluate(() => Number(document.querySelector('.sw-log-row').dataset.line))
  const from = await top()
  await page.evaluate(countFrames)
  const until = Date.now() + (small ? 500 : 3000)
  const work = await cost(cdp, async () => {
    while (Date.now() < until) await page.mouse.wheel(0, 240)
  })
  const { count, fps } = await page.evaluate(framesCounted)
  const gone = (await top()) - from
  must('the wheel moves the log', gone > 0, `${gone} lines`)
  gate('wheel: CPU for a frame', work / count, 'ms', [8])
  wall('  frames a second', fps, '', [55], { least: true })
}

/** Type a string that stands once in the log, and wait for its count. */
async function search({ page, cdp }, goal) {
  await forgetTasks(page)
  const field = page.getByRole('textbox', { name: 'Search the log' })
  const began = performance.now()
  const work = await cost(cdp, async () => {
    await field.fill(RARE)
    await page.getByText('1 of 1', { exact: true }).waitFor()
  })
  wall('search a rare string (0.2 s: waiting for the typist)', (performance.now() - began) / 1000, 's', goal)
  note('  CPU of the page', work, 'ms')
  note('  longest task', await longestTask(page), 'ms')
  await field.fill('')
}

/** A run that prints: nothing is lost, the end stays in sight. */
async function follow({ page, cdp }) {
  const count = RATE * SECONDS
  await page.evaluate(countFrames)
  const work = await cost(cdp, async () => {
    await ask('lines', { count, rate: RATE })
    await reached(page, count + tail.lines)
  })
  const { fps } = await page.evaluate(framesCounted)
  gate(`live tail, ${RATE} lines a second: CPU for 1,000`, (1000 * work) / count, 'ms', [180])
  wall('  frames a second', fps, '', [55], { least: true })
  await page.waitForTimeout(200)
  must('  the last line is seen, none is lost', (await page.evaluate(lastSeen)).includes(`step ${count}:`))
}

note(`a log of ${LINES} lines`, log.bytes / MB, 'MB')
const held = await opened(true)
await load(held, 'all of it held', { buffers: [Math.round((1.15 * log.bytes) / MB)], objects: [10] })
await scroll(held)
const { times, wrong } = await held.page.evaluate(jumps, small ? 10 : 60)
wall('jump by the scroll bar: p95 to the paint', quantile(times, 0.95), 'ms', [50])
must('  every one shows the lines it names', wrong.length === 0, wrong.slice(0, 5).join(', '))
await search(held, [2])
await held.context.close()
const shipped = await opened(false)
await follow(shipped)
if (!small) {
  await load(shipped, 'as shipped, a part held', { buffers: [], objects: [] })
  await search(shipped, [])
}
await browser.close()
leave()
