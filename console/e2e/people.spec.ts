// Who may see what: a person without rights, and what the owner does with people.
import { expect, test } from '@playwright/test'
import { act, enter, signIn, startRun, visit } from './stack'

test('a member without rights sees neither the screens nor what is in them', async ({ page }) => {
  const { run } = await startRun('quick', 'Not for everybody')
  const { url } = await act<{ url: string }>('/member')
  await enter(page, url)
  const navigation = page.locator('.sw-nav')
  await expect(navigation.getByRole('link', { name: 'Inbox' })).toBeVisible()
  for (const name of ['Users', 'Settings', 'Audit'])
    await expect(navigation.getByRole('link', { name, exact: true })).toHaveCount(0)
  for (const path of ['/users', '/settings', '/audit']) {
    await visit(page, path)
    await expect(page.getByRole('alert')).toContainText('The owner of this installation can grant it.')
  }
  await visit(page, `/runs/${run}`)
  await expect(page.getByText('or you may not see it').first()).toBeVisible()
  expect((await page.request.get('/api/v1/users')).status()).toBe(403)
  expect((await page.request.get(`/api/v1/runs/${run}`)).status()).toBe(404)
})

test('the owner sees what a role means before it changes, and the person is disabled after it', async ({
  page,
}) => {
  const { email } = await act<{ email: string }>('/member')
  await signIn(page)
  await visit(page, '/users')
  const mine = page.locator('tbody tr').filter({ hasText: 'owner@' })
  const refused = mine.locator('[aria-disabled=true]').first()
  await expect(refused, 'words that load after the first paint').toHaveAttribute(
    'title',
    /transfer of ownership/,
  )
  const row = page.locator('tbody tr', { hasText: email })
  await row.getByRole('button', { name: 'Make administrator' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('heading', { name: 'Stays' })).toBeVisible()
  await expect(dialog).toContainText('The role “Administrator” instead of “Member”')
  await expect(dialog.getByRole('button', { name: 'Make administrator' })).toBeDisabled()
  await dialog.getByLabel('Reason').fill('Looks after the platform')
  await dialog.getByRole('button', { name: 'Make administrator' }).click()
  await expect(row).toContainText('Administrator')
  await expect(row.getByRole('button', { name: 'Make owner' })).toBeVisible()
  await row.getByRole('button', { name: 'Disable' }).click()
  await expect(dialog.getByRole('heading', { name: 'Is lost' })).toBeVisible()
  await dialog.getByLabel('Reason').fill('Left the company')
  await dialog.getByRole('button', { name: 'Disable' }).click()
  await expect(row).toContainText('Disabled')
  await expect(row.getByRole('button', { name: 'Let in again' })).toBeVisible()
  const facts = (await (await page.request.get('/api/v1/audit?action=access.changed')).json()) as {
    items: { data: { email: string; reason?: string } }[]
  }
  const reasons = facts.items.filter(({ data }) => data.email === email).map(({ data }) => data.reason)
  expect(reasons.slice(0, 2)).toEqual(['Left the company', 'Looks after the platform'])
})
