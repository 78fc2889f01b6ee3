// The log viewer in a browser: where it opens, times, files, links to lines, copies that outlast scrolling.
import { readFileSync } from 'node:fs'
import { expect, test, type Page } from '@playwright/test'
import { act, signIn, startRun } from './stack'

const row = (page: Page, text: string) =>
  page.locator('.sw-log-row').filter({ has: page.getByText(text, { exact: true }) })

test('a log shows times as the person chose, is saved without colours, and keeps what is selected', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const said = await signIn(page)
  const { run } = await startRun('slow', 'Read me')
  expect(await act('/finished', { run })).toEqual({ status: 'succeeded' })
  await page.goto(`/runs/${run}/logs/engine`)
  const foot = page.locator('.sw-log-foot')
  await expect(foot).toContainText(/Ended \d\d:\d\d:\d\d · \d+ lines · [\d.]+ K?B/)
  await expect(page.locator('.sw-log-time')).toHaveCount(0)

  await page.getByLabel('Times').selectOption({ label: 'clock (UTC)' })
  await expect(row(page, 'step 1 of 40').locator('time')).toHaveText(/^\d\d:\d\d:\d\d$/)
  await page.getByLabel('Times').selectOption({ label: 'since the start' })
  await expect(row(page, 'step 40 of 40').locator('time')).toHaveText(/^\+0:0[3-9]$/)
  await page.reload()
  await expect(row(page, 'step 1 of 40').locator('time')).toHaveText('+0:00')

  await page.getByRole('button', { name: 'More room between lines' }).click()
  const heights = () =>
    page.locator('.sw-log-row').evaluateAll((rows) => [...new Set(rows.map((one) => one.clientHeight))])
  expect(await heights()).toEqual([24])
  await page.reload()
  await expect(row(page, 'step 1 of 40')).toBeVisible()
  expect(await heights()).toEqual([24])

  await page.getByRole('button', { name: 'Download' }).click()
  await expect(page.getByRole('link', { name: /Exactly as printed/ })).toContainText(/\d K?B/)
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /Without colours/ }).click(),
  ])
  expect(readFileSync(await file.path(), 'utf8')).toContain('step 39 of 40\nstep 40 of 40\n')

  await page.setViewportSize({ width: 1280, height: 420 })
  await row(page, 'step 2 of 40').locator('.sw-log-text').click({ clickCount: 3 })
  await page.getByRole('log').focus()
  await page.keyboard.press('End')
  await expect(row(page, 'step 40 of 40')).toBeInViewport()
  expect(await page.evaluate(() => document.getSelection()?.toString().trim())).toBe('step 2 of 40')
  await page.keyboard.press('ControlOrMeta+c')
  expect((await page.evaluate(() => navigator.clipboard.readText())).trim()).toBe('step 2 of 40')
  expect(said).toEqual([])
})
