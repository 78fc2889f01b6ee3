// Every screen that is offered: accessible in both themes, no words missing, no error on the console, no page scroll at 320 px.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test, type Page } from '@playwright/test'
import { signIn, startRun, visit } from './stack'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const THEMES = ['light', 'dark'] as const
const SETTLED = 400
const KEYS =
  /(?<![\w.])(?:runs|waits|errors|audit|about|me|members|common|state|status|screen|inbox|settings|list|link|nav)\.[a-z]\w+/g

interface Violation {
  id: string
  help: string
  nodes: { html: string; failureSummary: string }[]
}
interface Axe {
  run: (what: object, options: object) => Promise<{ violations: Violation[] }>
}

test.use({ bypassCSP: true })

/** Return what axe finds on the page as it is. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async (values) => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const { violations } = await axe.run(document, { runOnly: { type: 'tag', values } })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`),
    )
  }, TAGS)
}

/** Return keys of words that stand on the page in place of the words; codes and logs are not looked at. */
async function missingWords(page: Page): Promise<string[]> {
  const text = await page.evaluate(() => {
    const copy = document.body.cloneNode(true) as HTMLElement
    for (const node of copy.querySelectorAll('script, style, code, pre, .sw-mono, .sw-events')) node.remove()
    return copy.textContent ?? ''
  })
  return text.match(KEYS) ?? []
}

/** Return the addresses of all screens: what the navigation offers, and one of each detail. */
async function addresses(page: Page): Promise<string[]> {
  const offered = await page
    .locator('.sw-nav a')
    .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''))
  const ask = async (path: string) => {
    const answer = await page.request.get(`/api/v1${path}`)
    return ((await answer.json()) as { items: { id: string }[] }).items[0]?.id
  }
  const [run, project] = [await ask('/runs'), await ask('/projects')]
  const details = [
    `/runs/${run}`,
    `/runs/${run}?tab=events`,
    `/runs/${run}?tab=prompt`,
    `/runs/${run}/logs/runner`,
  ]
  const more = ['repositories', 'members'].map((tab) => `/projects/${project}?tab=${tab}`)
  return [...offered, '/me', ...details, `/projects/${project}`, ...more, '/nowhere']
}

test('axe finds nothing on any screen in either theme, and nothing is wider than 320 px', async ({
  page,
}) => {
  test.setTimeout(170_000)
  await startRun('quick', 'Look at me')
  const said = await signIn(page)
  await page.goto('/runs')
  await expect(page.locator('tbody tr').first()).toBeVisible()
  await expect(page.locator('.sw-nav a').first()).toBeVisible()
  const found: string[] = []
  for (const address of await addresses(page)) {
    await visit(page, address)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await page.waitForTimeout(SETTLED)
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      found.push(...(await faults(page)).map((fault) => `${address} ${theme}: ${fault}`))
    }
    await page.setViewportSize({ width: 320, height: 640 })
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (over > 0) found.push(`${address}: ${over} px too wide at 320 px`)
    await page.setViewportSize({ width: 1280, height: 800 })
    found.push(...(await missingWords(page)).map((word) => `${address}: no word for ${word}`))
  }
  expect(found).toEqual([])
  expect(said).toEqual([])
})

test('a dialog and the palette are accessible', async ({ page }) => {
  await signIn(page)
  await page.goto('/me')
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Back' })).toBeFocused()
  await page.waitForTimeout(SETTLED)
  expect(await faults(page)).toEqual([])
  await page.getByRole('button', { name: 'Back' }).click()
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox', { name: 'Screen' })).toBeFocused()
  await page.waitForTimeout(SETTLED)
  expect(await faults(page)).toEqual([])
  await page.evaluate(() => document.body.append(document.createElement('button')))
  expect(await faults(page), 'axe looks').not.toEqual([])
})
