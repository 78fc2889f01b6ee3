// Screenshots of every screen for looking at: node bench/look.mjs <sign-in url> <folder>, after `make console`.
import { chromium } from 'playwright-core'

const [url, folder] = process.argv.slice(2)
const browser = await chromium.launch({
  executablePath: process.env.CONSOLE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
const context = await browser.newContext()
const page = await context.newPage()
page.on('console', (message) => message.type() === 'error' && console.log('console:', message.text()))
page.on('pageerror', (error) => console.log('page error:', error.message))
await page.goto(url)
await page.waitForSelector('.sw-brand')
const origin = new URL(url).origin
const ask = async (path) => (await (await page.request.get(`${origin}/api/v1${path}`)).json()).items ?? []
const runs = await ask('/runs?limit=50')
const [project] = (await ask('/projects')).filter((item) => item.key !== 'default')
const [error] = await ask('/incidents')
const failed = runs.find((run) => run.status === 'failed') ?? runs[0]
const done = runs.find((run) => run.status === 'succeeded' && run.issue_number) ?? runs[0]
const steps = done ? await ask(`/issues/${done.repository}/${done.issue_number}/next-steps`) : []
const [asked] = await ask('/approvals')
const screens = [
  ['inbox', '/'],
  ['users', '/users'],
  ['settings', '/settings'],
  ['runs', '/runs'],
  ['jobs', '/runs/jobs'],
  ['waits', '/waits'],
  ['approvals', '/approvals'],
  ...(asked ? [['approval', `/approvals/${asked.id}`]] : []),
  ...(done ? [['issue', `/i/${done.repository}/${done.issue_number}`]] : []),
  ...(steps[0]?.path ? [['step', steps.find((one) => one.group === 'forward')?.path ?? steps[0].path]] : []),
  ['labels', '/labels'],
  ['projects', '/projects'],
  ['errors', '/errors'],
  ['audit', '/audit'],
  ['about', '/about'],
  ['profile', '/me'],
  ...(runs[0]
    ? [
        ['run', `/runs/${runs[0].id}`],
        ['events', `/runs/${runs[0].id}?tab=events`],
        ['prompt', `/runs/${failed.id}?tab=prompt`],
      ]
    : []),
  ...(failed
    ? [
        ['failed', `/runs/${failed.id}`],
        ['log', `/runs/${failed.id}/logs/engine`],
      ]
    : []),
  ...(project
    ? [
        ['project', `/projects/${project.id}`],
        ['repositories', `/projects/${project.id}?tab=repositories`],
        ['members', `/projects/${project.id}?tab=members`],
        ['statistics', `/projects/${project.id}?tab=statistics`],
      ]
    : []),
  ...(error ? [['error', `/errors/${error.id}`]] : []),
  ['lost', '/nowhere'],
]
const only = process.env.ONLY?.split(',')
for (const [width, height] of [
  [1280, 800],
  [360, 740],
]) {
  for (const theme of ['light', 'dark']) {
    for (const locale of ['en', 'ru']) {
      if ((theme === 'light') !== (locale === 'en') && !process.env.EVERY) continue
      await page.setViewportSize({ width, height })
      await page.evaluate(
        ([t, l]) => {
          localStorage.setItem('stagewright.theme', t)
          localStorage.setItem('stagewright.locale', l)
        },
        [theme, locale],
      )
      await page.goto(origin)
      await page.waitForTimeout(1500)
      for (const [name, path] of screens) {
        if (only && !only.includes(name)) continue
        await page.evaluate((to) => {
          history.pushState({}, '', to)
          dispatchEvent(new PopStateEvent('popstate', { state: {} }))
        }, path)
        await page.waitForTimeout(900)
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        if (wide > 0) console.log(`${name} ${width} ${locale}: ${wide} px too wide`)
        await page.screenshot({ path: `${folder}/${name}-${width}-${theme}-${locale}.png` })
      }
    }
  }
}
await browser.close()
