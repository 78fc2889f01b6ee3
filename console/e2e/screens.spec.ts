// Every screen that is offered: accessible in both themes, no words missing, no error on the console, no page scroll at
// 320 px, nothing clipped by wider spacing or longer words, no focus under something else.
import { expect, test, type Page } from '@playwright/test'
import { faults } from './axe'
import { act, signIn, startRun, visit } from './stack'

const THEMES = ['light', 'dark'] as const
const SETTLED = 400
const KEYS =
  /(?<![\w.])(?:runs|waits|approvals|way|next|labels|step|errors|audit|about|me|members|common|state|status|screen|inbox|settings|list|link|nav)\.[a-z]\w+/g

test.use({ bypassCSP: true })

/** Return keys of words that stand on the page in place of the words; codes and logs are not looked at. */
async function missingWords(page: Page): Promise<string[]> {
  const text = await page.evaluate(() => {
    const copy = document.body.cloneNode(true) as HTMLElement
    for (const node of copy.querySelectorAll('script, style, code, pre, .sw-mono, .sw-events')) node.remove()
    return copy.textContent ?? ''
  })
  return text.match(KEYS) ?? []
}

/** WCAG 1.4.12: what a reader may set without losing anything. */
const SPACING = `*:not(svg, svg *, .sw-log *) { line-height: 1.5 !important; letter-spacing: 0.12em !important;
  word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`

/** Return the texts that are cut off: wider or higher than a box that neither shows nor scrolls the rest. */
function clipped(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const hides = (value: string) => value === 'hidden' || value === 'clip'
    const found: string[] = []
    for (const node of document.querySelectorAll<HTMLElement>('.v-application *')) {
      const style = getComputedStyle(node)
      if (
        !node.textContent?.trim() ||
        node.closest('.sw-visually-hidden, thead, .sw-log, svg, select, .v-overlay-container')
      )
        continue
      if (node.clientWidth === 0 || style.visibility === 'hidden') continue
      const wide = hides(style.overflowX) && node.scrollWidth > node.clientWidth + 1
      const high = hides(style.overflowY) && node.scrollHeight > node.clientHeight + 1
      if (wide || high)
        found.push(`${node.tagName}.${node.className}: ${node.textContent.trim().slice(0, 60)}`)
    }
    return found
  })
}

/** Return by how much the page is wider than the window, once it had a moment to follow a new width. */
async function overflow(page: Page): Promise<number> {
  const measure = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  let over = await measure()
  for (let look = 0; over > 0 && look < 20; look++) {
    await page.waitForTimeout(100)
    over = await measure()
  }
  return over
}

/** Name the innermost box that reaches over the right edge. */
function widest(page: Page): Promise<string> {
  return page.evaluate(() => {
    const over = [...document.querySelectorAll('.sw-page *')].filter(
      (node) => node.getBoundingClientRect().right > innerWidth + 1,
    )
    const node = over.at(-1)
    return node
      ? `${node.tagName}.${node.className} ${node.textContent?.trim().slice(0, 60)}`
      : 'outside the page'
  })
}

/** Return what the focus lands on but nobody sees, and what lies over it: none of its corners is on top. */
async function obscured(page: Page, steps: number): Promise<string[]> {
  const found: string[] = []
  for (let step = 0; step < steps; step++) {
    await page.keyboard.press('Tab')
    let hidden = await covered(page)
    for (let look = 0; hidden && look < 10; look++) {
      await page.waitForTimeout(100) // what steps aside may take a moment
      hidden = await covered(page)
    }
    if (hidden) found.push(hidden)
  }
  return found
}

function covered(page: Page): Promise<string | null> {
  return page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    const node = document.activeElement
    if (node === null || node === document.body) return null
    const box = node.getBoundingClientRect()
    const [left, right, top, bottom] = [box.left + 2, box.right - 2, box.top + 2, box.bottom - 2]
    const points = [left, right, (left + right) / 2].flatMap((x) => [top, bottom].map((y) => [x, y]))
    const over = points.map(([x, y]) => document.elementFromPoint(x!, y!))
    const seen = over.some(
      (top) =>
        top !== null && (node.contains(top) || top.contains(node) || top.closest('label')?.contains(node)),
    )
    const cover = over.find((top) => top !== null)
    return seen
      ? null
      : `${node.outerHTML.slice(0, 100)} under ${cover?.outerHTML.slice(0, 200)} at ${Math.round(box.top)}`
  })
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
  const [run, project, error] = [await ask('/runs'), await ask('/projects'), await ask('/incidents')]
  const found = await page.request.get(`/api/v1/runs/${run}`)
  const { repository, issue_number: issue } = (await found.json()) as {
    repository: string
    issue_number: number
  }
  const step = new URLSearchParams({
    repository_full_name: repository,
    issue_number: String(issue),
    action_kind: 'issue_stage_transition',
    target_label: 'run:qa',
  })
  const details = [
    `/runs/${run}`,
    `/runs/${run}?tab=events`,
    `/runs/${run}?tab=prompt`,
    `/runs/${run}/logs/runner`,
  ]
  const more = ['repositories', 'members'].map((tab) => `/projects/${project}?tab=${tab}`)
  return [
    ...offered,
    '/?view=snoozed',
    '/me',
    ...details,
    `/i/${repository}/${issue}`,
    `/next-step?${step}`,
    `/errors/${error}`,
    `/projects/${project}`,
    ...more,
    '/nowhere',
  ]
}

test('axe finds nothing on any screen in either theme, and nothing is wider than 320 px', async ({
  page,
}) => {
  test.setTimeout(170_000)
  await startRun('quick', 'Look at me')
  await act('/incident')
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
    const over = await overflow(page)
    if (over > 0) found.push(`${address}: ${over} px too wide at 320 px: ${await widest(page)}`)
    await page.setViewportSize({ width: 1280, height: 800 })
    const spaced = await page.addStyleTag({ content: SPACING })
    found.push(...(await clipped(page)).map((text) => `${address}: clipped by spacing: ${text}`))
    await spaced.evaluate((node) => (node as Element).remove())
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

test('words that are 40 % longer fit on every screen, wide and narrow', async ({ page }) => {
  await signIn(page)
  await page.evaluate(() => localStorage.setItem('stagewright.locale', 'xx'))
  await page.goto('/runs')
  await expect(page.getByRole('heading', { level: 1 })).toContainText('[Runs')
  const found: string[] = []
  for (const address of await addresses(page)) {
    await visit(page, address)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await page.waitForTimeout(SETTLED / 2)
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 })
      const over = await overflow(page)
      if (over > 0) found.push(`${address}: ${over} px too wide at ${width} px: ${await widest(page)}`)
      found.push(...(await clipped(page)).map((text) => `${address} ${width}: clipped: ${text}`))
    }
  }
  expect(found).toEqual([])
})

test('the focus is never under the bar, the errors in the corner or a pill', async ({ page }) => {
  await act('/incident')
  await signIn(page)
  await page.setViewportSize({ width: 1000, height: 600 })
  await page.goto('/runs')
  await expect(page.locator('.sw-stack-card').first()).toBeVisible()
  const found = await obscured(page, 40)
  for (const address of ['/me', '/projects', '/errors']) {
    await visit(page, address)
    await page.waitForTimeout(SETTLED)
    found.push(...(await obscured(page, 30)).map((text) => `${address}: ${text}`))
  }
  expect(found).toEqual([])
})
