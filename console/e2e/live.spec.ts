// A run watched live: from its label to its pull request, cancelled, and over a lost connection.
import { expect, test } from '@playwright/test'
import { act, signIn, startRun } from './stack'

test('the one-time link signs in, leaves no code in the address, and works once', async ({
  page,
  browser,
}) => {
  const { url } = await act<{ url: string }>('/sign-in')
  await page.goto(url)
  await expect(page.getByRole('navigation', { name: 'Main navigation' }).first()).toBeVisible()
  expect(page.url()).not.toContain('#')
  const other = await browser.newPage()
  await other.goto(url)
  await expect(other.getByRole('alert')).toBeVisible()
  await other.close()
})

test('a labelled issue appears in the list by itself and is watched to its pull request', async ({
  page,
}) => {
  const said = await signIn(page)
  await page.goto('/runs')
  await expect(page.getByText('Live', { exact: true })).toBeVisible()
  const { run, issue, repository } = await startRun('slow', 'Watch me')
  const link = page.locator(`tr a[href="/runs/${run}"]`)
  await expect(link).toBeVisible()
  await link.click()
  await expect(page.getByRole('heading', { level: 1 })).toContainText('dev')
  await page.getByRole('tab', { name: 'Logs' }).click()
  await expect(page.locator('.sw-log-text', { hasText: 'step 40 of 40' })).toBeVisible({ timeout: 30_000 })
  const steps = await page.locator('.sw-log-text', { hasText: /step \d+ of 40/ }).allInnerTexts()
  expect(new Set(steps).size).toBe(steps.length)
  await page.getByRole('tab', { name: 'Overview' }).click()
  await expect(page.locator('.sw-run-title .sw-chip')).toHaveText('Succeeded', { timeout: 30_000 })
  await expect(page.getByRole('link', { name: /pull request #\d+/ })).toHaveAttribute(
    'href',
    new RegExp(`${repository}/pull/`),
  )
  await expect(page.getByText('Pull request opened')).toBeVisible()
  await expect(page.locator('.sw-run-head').getByText(`${repository}#${issue}`)).toBeVisible()
  expect(said).toEqual([])
})

test('cancelling shows what it does, asks for a reason, and ends the run', async ({ page }) => {
  await signIn(page)
  const { run } = await startRun('long', 'Never mind')
  await page.goto(`/r/${run}`)
  await expect(page).toHaveURL(new RegExp(`/runs/${run}`))
  await expect(page.locator('.sw-run-title .sw-chip')).toHaveText('Running', { timeout: 30_000 })
  await page.getByRole('button', { name: 'Cancel the run' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('heading', { name: 'Stops' })).toBeVisible()
  const agree = dialog.getByRole('button', { name: 'Cancel the run' })
  await expect(agree).toBeDisabled()
  await dialog.getByLabel('Reason').fill('asked for by mistake')
  await agree.click()
  await expect(page.locator('.sw-run-title .sw-chip')).toHaveText('Cancelled', { timeout: 30_000 })
})

test('a lost gateway is shown, and nothing is lost or doubled when it is back', async ({ page }) => {
  await signIn(page)
  const { run } = await startRun('slow', 'Hold on')
  await page.goto(`/runs/${run}/logs/engine`)
  await expect(page.locator('.sw-log-text', { hasText: 'step 3 of 40' })).toBeVisible({ timeout: 30_000 })
  await act('/gateway', { act: 'kill' })
  await expect(page.locator('.sw-link-chip')).not.toHaveText('Live')
  await act('/gateway', { act: 'start' })
  await expect(page.locator('.sw-link-chip')).toHaveText('Live', { timeout: 20_000 })
  await expect(page.locator('.sw-log-text', { hasText: 'step 40 of 40' })).toBeVisible({ timeout: 30_000 })
  await page.getByRole('log').focus()
  await page.keyboard.press('Home')
  const steps = await page.locator('.sw-log-text').allInnerTexts()
  const numbers = steps.flatMap((line) => /step (\d+) of 40/.exec(line)?.[1] ?? []).map(Number)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  expect(new Set(numbers).size).toBe(numbers.length)
  await expect(page.locator('.sw-run-title .sw-chip')).toHaveText('Succeeded', { timeout: 30_000 })
})

test('without a socket the page polls, and goes back to the socket when there is one', async ({ page }) => {
  await page.routeWebSocket('**/api/v1/realtime', (socket) => void socket.close())
  await signIn(page)
  await page.goto('/runs')
  await expect(page.locator('.sw-link-chip')).toHaveText('Updating every 5 s', { timeout: 20_000 })
  const { run } = await startRun('quick', 'Polled')
  await expect(page.locator(`tr a[href="/runs/${run}"]`)).toBeVisible({ timeout: 15_000 })
  await page.unrouteAll()
  await page.routeWebSocket('**/api/v1/realtime', (socket) => void socket.connectToServer())
  await expect(page.locator('.sw-link-chip')).toHaveText('Live', { timeout: 30_000 })
})
