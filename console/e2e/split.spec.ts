// A row's page beside its list on wide screens; the scope of the console in the address.
import { expect, test } from '@playwright/test'
import { faults } from './axe'
import { act, signIn, startRun, visit } from './stack'

test.use({ bypassCSP: true, viewport: { width: 1600, height: 900 } })

test('a run opens beside its list, which stays live; keys move, Esc and back close, the row has the focus again', async ({
  page,
}) => {
  const first = await startRun('quick', 'Beside one')
  const second = await startRun('quick', 'Beside two')
  const said = await signIn(page)
  await visit(page, '/runs?stage=dev')
  const row = (id: string) => page.locator(`tr[data-row="${id}"]`)
  const side = page.getByRole('region', { name: 'Run', exact: true })
  await row(second.run).getByRole('link').first().click()
  await expect(page).toHaveURL(`/runs/${second.run}?stage=dev`)
  await expect(side.getByRole('heading', { level: 1 })).toBeFocused()
  await expect(row(second.run)).toHaveAttribute('aria-current', 'true')
  const third = await startRun('quick', 'Beside three')
  await expect(row(third.run)).toBeVisible()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(`/runs/${first.run}?stage=dev`)
  await expect(side.getByRole('heading', { level: 1 })).toBeFocused()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    expect(await faults(page)).toEqual([])
  }
  await page.keyboard.press('Escape')
  await expect(side).toBeHidden()
  await expect(page).toHaveURL('/runs?stage=dev')
  await expect(row(first.run).getByRole('link').first()).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(side).toBeVisible()
  await page.goBack()
  await expect(side).toBeHidden()
  await expect(row(first.run).getByRole('link').first()).toBeFocused()
  expect(said).toEqual([])
})

test('the address of an error shows list and error on a wide screen, the error alone on a narrow one', async ({
  page,
}) => {
  await act('/incident')
  await signIn(page)
  const answer = await page.request.get('/api/v1/incidents')
  const { id } = ((await answer.json()) as { items: { id: string }[] }).items[0]!
  await page.goto(`/errors/${id}`)
  const [list, side] = [
    page.getByRole('table', { name: 'Errors' }),
    page.getByRole('region', { name: 'Error' }),
  ]
  await expect(list).toBeVisible()
  await expect(side.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1)
  expect(await faults(page)).toEqual([])
  await page.setViewportSize({ width: 900, height: 800 })
  await expect(list).toBeHidden()
  await expect(side.getByRole('heading', { level: 1 })).toBeVisible()
  await page.setViewportSize({ width: 1600, height: 900 })
  await page.getByRole('button', { name: 'Close' }).click()
  await expect(page).toHaveURL('/errors')
})

test('the scope is in the address, goes along to the next list, and is cleared by its chip', async ({
  page,
}) => {
  const { run } = await startRun('quick', 'In scope')
  await signIn(page)
  await visit(page, '/runs')
  await expect(page.locator(`tr[data-row="${run}"]`)).toBeVisible()
  const scope = page.getByRole('group', { name: 'Scope of the lists' })
  await scope.getByRole('button', { name: 'All projects' }).click()
  await page.getByRole('checkbox').first().check()
  await page.keyboard.press('Escape')
  await expect(page).toHaveURL(/project=[0-9a-f-]{36}/)
  await scope.getByRole('button', { name: 'Any time' }).click()
  await page.getByRole('button', { name: 'Last hour' }).click()
  await expect(page).toHaveURL(/from=/)
  await page.locator('.sw-nav').getByRole('link', { name: 'Waits' }).click()
  await expect(page).toHaveURL(/\/waits\?project=[0-9a-f-]{36}$/)
  await page.locator('.sw-nav').getByRole('link', { name: 'Runs', exact: true }).click()
  await expect(page).toHaveURL(/\/runs\?project=.*from=/)
  await page.goto('/runs?from=2020-01-01T00:00:00.000Z&to=2020-01-02T00:00:00.000Z')
  await expect(page.getByText('Nothing matches')).toBeVisible()
  expect(await faults(page)).toEqual([])
  await scope.getByRole('button', { name: 'Any time again' }).click()
  await expect(page).toHaveURL('/runs')
  await expect(page.locator(`tr[data-row="${run}"]`)).toBeVisible()
})

test('on a narrow screen a row is a page; going back restores the place and the focus', async ({ page }) => {
  for (const title of ['Far one', 'Far two', 'Far three']) await startRun('quick', title)
  await signIn(page)
  await page.setViewportSize({ width: 600, height: 500 })
  await page.goto('/runs')
  const last = page.locator('tbody tr').last().getByRole('link').first()
  await last.scrollIntoViewIfNeeded()
  const place = await page.evaluate(() => scrollY)
  expect(place).toBeGreaterThan(200)
  await last.click()
  await expect(page.getByRole('table', { name: 'Runs' })).toBeHidden()
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused()
  expect(await page.evaluate(() => scrollY)).toBe(0)
  await page.goBack()
  await expect(last).toBeFocused()
  await expect.poll(() => page.evaluate(() => scrollY)).toBe(place)
})
