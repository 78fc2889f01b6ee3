// The way of an issue: from a status comment's link to a started run, with what others change meanwhile; the lineage.
import { expect, test } from '@playwright/test'
import { act, signIn, startRun, visit } from './stack'

interface Made {
  issue: number
  run: string
  repository: string
}
/** Let a developer finish, and return the link to the next stage that the status comment offers. */
async function developed(title: string): Promise<Made & { link: string }> {
  const made = await startRun('quick', title)
  expect(await act('/finished', { run: made.run })).toEqual({ status: 'succeeded' })
  const { url } = await act<{ url: string }>('/next-link', { ...made, label: 'run:qa' })
  return { ...made, link: url }
}

test('a comment’s link survives signing in, shows what it would do, and starts the run when it is confirmed', async ({
  page,
}) => {
  const { link, repository, issue } = await developed('Then test it')
  await page.goto(link)
  await expect(page).toHaveURL(/\/login\?next=/)
  const code = new URL((await act<{ url: string }>('/sign-in')).url).hash
  await page.goto(page.url() + code)
  await page.reload()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText(`${repository}#${issue}`)
  await expect(page.locator('h1')).toHaveText('Inbox')
  await expect(dialog.locator('ins', { hasText: 'run:qa' })).toBeVisible()
  await expect(dialog.locator('del', { hasText: 'state:in-review' })).toBeVisible()
  await expect(dialog).toContainText(/accepts pull request #\d+/)
  await expect(dialog.getByRole('button', { name: 'Back' })).toBeFocused()

  await act('/label', { repository, issue, label: 'need:qa' })
  await dialog.getByRole('button', { name: 'Start qa' }).click()
  await expect(
    dialog.getByRole('alert').filter({ hasText: 'Somebody changed the labels meanwhile' }),
  ).toBeVisible()
  await expect(dialog.locator('.sw-warning ins')).toContainText('need:qa')

  await dialog.getByRole('button', { name: 'Start qa' }).click()
  await expect(page).toHaveURL(/\/runs\/[0-9a-f-]{36}/)
  await expect(page.locator('h1').filter({ hasText: 'qa' })).toBeVisible()
  const run = /[0-9a-f-]{36}/.exec(page.url())![0]
  expect(await act('/finished', { run })).toHaveProperty('status')
})

test('the way of an issue shows its stages, what they made, and what may follow; a link from the run leads there', async ({
  page,
}) => {
  const { run, repository, issue } = await developed('Show the way')
  const said = await signIn(page)
  await page.goto(`/runs/${run}`)
  await page.getByRole('link', { name: 'Way of the issue' }).click()
  await expect(page).toHaveURL(`/i/${repository}/${issue}`)
  await expect(page.locator('h1')).toHaveText(`${repository}#${issue}`)
  const track = page.getByRole('list', { name: 'Stages of the issue' })
  await expect(track.getByRole('listitem').filter({ hasText: 'done' })).toHaveCount(1)
  await expect(track.locator('[aria-current=step]')).toHaveCount(1)
  await expect(page.getByText(/pull request #\d+/).first()).toBeVisible()
  await expect(page.locator('.sw-labels')).toContainText('state:in-review')

  await act('/label', { repository, issue, label: 'state:blocked' })
  await expect(page.getByRole('heading', { name: /cannot start now/ })).toBeVisible()
  await expect(page.locator('.sw-labels')).toContainText('state:blocked')

  await page.getByRole('link', { name: /run:dev:revise/ }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.locator('.sw-warning')).toContainText('state:blocked')
  await expect(dialog.getByRole('button', { name: /^Start/ })).toHaveCount(0)
  await dialog.getByRole('button', { name: 'Back' }).click()
  await expect(page).toHaveURL(`/i/${repository}/${issue}`)
  expect(said).toEqual([])
})

test('a held result is published by whoever sees its diff and hash; a repair that is denied does not start', async ({
  page,
}) => {
  const held = await startRun('held', 'Touch a workflow')
  const said = await signIn(page)
  await visit(page, '/approvals')
  const row = page.locator('tbody tr', { hasText: 'Publish the result of dev' })
  await row.getByRole('link').click()
  await expect(page.locator('.sw-diff-added', { hasText: "+print('hello')" })).toBeVisible()
  await expect(page.getByText('.github/workflows/hello.yml', { exact: true }).first()).toBeVisible()
  const hash = await page.locator('.sw-facts dd.sw-mono').last().innerText()
  expect(hash).toMatch(/^[0-9a-f]{12}$/)
  await page.getByRole('button', { name: 'Approve' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText(hash)
  await dialog.getByRole('button', { name: 'Approve' }).click()
  await expect(page.locator('.sw-run-head .sw-chip')).toHaveText(/Approved|carried out|Carried out/)
  expect(await act('/finished', { run: held.run })).toEqual({ status: 'succeeded' })
  await expect(page.locator('.sw-run-head .sw-chip')).toHaveText('Carried out')

  const repair = await act<Made>('/start', { scenario: 'quick', label: 'run:ai-repair', title: 'Repair it' })
  await visit(page, '/waits')
  await page
    .locator('tbody tr', { hasText: 'the start of the run' })
    .getByRole('link', { name: 'Decide' })
    .click()
  await expect(page.locator('h1')).toContainText('Start ai_repair')
  await expect(page.getByRole('button', { name: 'Deny…' })).toBeDisabled()
  await page.getByRole('checkbox', { name: /nobody else may decide/ }).check()
  await page.getByRole('button', { name: 'Deny…' }).click()
  await expect(dialog.getByRole('button', { name: 'Deny…' })).toBeDisabled()
  await dialog.getByLabel('Reason').fill('Not on a Friday')
  await dialog.getByRole('button', { name: 'Deny…' }).click()
  await expect(page.locator('.sw-run-head .sw-chip')).toHaveText('Denied')
  await expect(page.locator('blockquote')).toHaveText('Not on a Friday')
  expect(await act('/finished', { run: repair.run })).toEqual({ status: 'failed' })
  expect(said).toEqual([])
})

test('a label that somebody changed at the forge is shown, and written back after its preview', async ({
  page,
}) => {
  const { repository } = await startRun('quick', 'Look at labels')
  const said = await signIn(page)
  await visit(page, '/projects')
  await page
    .getByRole('link', { name: repository.split('/')[1]! })
    .first()
    .click()
  await page.getByRole('tab', { name: 'Repositories' }).click()
  await page.getByRole('link', { name: /^all \d+ there$/ }).click()
  await expect(page.locator('h1')).toHaveText('Labels')
  const row = page.locator('tbody tr', { hasText: 'run:ops' }).first()
  await expect(row).toContainText('As the policy wants')
  await act('/recolour', { repository, label: 'run:ops' })
  await expect(row).toContainText('Other colour')
  await page.getByRole('button', { name: 'Sync labels…' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('Sets colour or description of: run:ops.')
  await dialog.getByRole('button', { name: 'Sync labels…' }).click()
  await expect(row).toContainText('As the policy wants')
  expect(said).toEqual([])
})

test('a question is answered where it is met: in the inbox, or on the page of its run', async ({ page }) => {
  const first = await startRun('asks', 'Choose a colour')
  const second = await startRun('asks', 'Choose another colour')
  const said = await signIn(page)
  const dialog = page.getByRole('dialog')
  const item = page
    .locator('.sw-cards > li', { hasText: `${first.repository}#${first.issue}` })
    .filter({ hasText: 'Which colour?' })
  await item.getByRole('button', { name: 'Answer' }).click()
  await expect(dialog).toContainText('Which colour?')
  await expect(dialog.getByRole('button', { name: 'Answer' })).toBeDisabled()
  await dialog.getByLabel('Your answer').fill('Blue.')
  await dialog.getByRole('button', { name: 'Answer' }).click()
  await expect(dialog).toHaveCount(0)
  await expect(item).toHaveCount(0)
  expect(await act('/finished', { run: first.run })).toEqual({ status: 'succeeded' })

  await visit(page, `/runs/${second.run}`)
  await page.locator('.sw-run-head').getByRole('button', { name: 'Answer' }).click()
  await dialog.getByLabel('Your answer').fill('Red.')
  await dialog.getByRole('button', { name: 'Answer' }).click()
  await expect(page.locator('.sw-run-head').getByRole('button', { name: 'Answer' })).toHaveCount(0)
  expect(await act('/finished', { run: second.run })).toEqual({ status: 'succeeded' })
  expect(said).toEqual([])
})
