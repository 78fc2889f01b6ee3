// Work without a mouse, in Russian, on a Russian layout.
import { expect, test, type Page } from '@playwright/test'
import { signIn, startRun } from './stack'

/** Press the key that bears `code` on a Russian layout. */
async function press(page: Page, key: string, code: string, ctrlKey = false): Promise<void> {
  await page.evaluate(
    ([name, place, ctrl]) => {
      const event = new KeyboardEvent('keydown', {
        key: name as string,
        code: place as string,
        ctrlKey: ctrl as boolean,
        bubbles: true,
        cancelable: true,
      })
      ;(document.activeElement ?? document.body).dispatchEvent(event)
    },
    [key, code, ctrlKey] as const,
  )
}

test('the console speaks Russian and obeys a Russian layout', async ({ page }) => {
  await startRun('quick', 'По-русски')
  const said = await signIn(page)
  await expect(page.locator('html')).toHaveAttribute('lang', 'ru')
  await expect(page.getByText('На связи')).toBeVisible()
  await press(page, 'п', 'KeyG')
  await press(page, 'к', 'KeyR')
  await expect(page.getByRole('heading', { level: 1, name: 'Запуски' })).toBeFocused()
  await expect(page.locator('tbody tr').first()).toBeVisible()
  await press(page, 'о', 'KeyJ')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('tab', { name: 'Обзор' })).toBeVisible()
  await press(page, 'л', 'KeyK', true)
  const field = page.getByRole('dialog').getByRole('combobox')
  await expect(field).toBeFocused()
  await field.fill('ожидания')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Ожидания' })).toBeVisible()
  await page.keyboard.press('Shift+?')
  await expect(page.getByRole('dialog')).toContainText('Клавиши')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  expect(said).toEqual([])
})
