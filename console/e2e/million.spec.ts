// A million lines: the last one is reached, any one is found, a link opens its line.
import { expect, test } from '@playwright/test'
import { act, signIn, startRun } from './stack'

test('a log of a million lines is read to its last line, searched, and linked to', async ({ page }) => {
  test.setTimeout(120_000)
  const { run } = await startRun('million', 'Count to a million')
  expect(await act('/finished', { run })).toEqual({ status: 'succeeded' })
  await signIn(page)
  await page.goto(`/runs/${run}/logs/engine`)
  const foot = page.locator('.sw-log-foot')
  await expect(foot).toContainText('Ended', { timeout: 60_000 })
  await expect(foot).toContainText(/1,000,\d{3} lines/)
  const row = (text: string) => page.locator('.sw-log-text').filter({ hasText: new RegExp(`^${text}$`) })
  await page.getByRole('log').focus()
  await page.keyboard.press('End')
  await expect(row('count 1000000')).toBeInViewport()
  await page.keyboard.press('Home')
  await expect(row('count 1')).toBeInViewport()
  await page.getByRole('textbox', { name: 'Search the log' }).fill('count 777777')
  await expect(row('count 777777')).toBeInViewport({ timeout: 20_000 })
  await expect(page.getByText('1 of 1')).toBeVisible()
  const line = await row('count 777777').locator('xpath=..').getAttribute('data-line')
  await page.goto('about:blank')
  await page.goto(`/runs/${run}/logs/engine#L${Number(line) + 1}`)
  await expect(row('count 777777')).toBeInViewport({ timeout: 60_000 })
  expect(await page.locator('.sw-log-row').count()).toBeLessThanOrEqual(120)
})
