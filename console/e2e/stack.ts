// The door of the running stack: what the forge's people, the agents and the operator do while a page is looked at.
import { expect, type Page } from '@playwright/test'

const CONTROL = process.env.CONSOLE_CONTROL ?? ''

/** Ask the stack to do something; fail with its own words. */
export async function act<T>(path: string, wish: object = {}): Promise<T> {
  const answer = await fetch(CONTROL + path, { method: 'POST', body: JSON.stringify(wish) })
  const body = (await answer.json()) as T & { error?: string }
  if (!answer.ok) throw new Error(`${path}: ${body.error}`)
  return body
}

export interface Started {
  issue: number
  run: string
  repository: string
}

/** Label an issue for a developer who plays `scenario`. */
export const startRun = (scenario: string, title = 'Say hello') => act<Started>('/start', { scenario, title })

/** Open a one-time link and wait for the first screen: until it stands, the router still has its own way to go. */
export async function enter(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await expect(page.locator('.sw-nav')).toBeVisible()
  await expect(page.locator('main h1')).toBeVisible()
}

/** Go to a screen inside the page, as a link does: a new page each time would need a socket each time. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => {
    const state = { back: null, current: to, forward: null, position: history.length, scroll: null }
    history.pushState(state, '', to)
    dispatchEvent(new PopStateEvent('popstate', { state }))
  }, path)
}

/** Sign in with a one-time link, and collect what the page says on its console. */
export async function signIn(page: Page): Promise<string[]> {
  const said: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') said.push(message.text())
  })
  page.on('pageerror', (error) => said.push(String(error)))
  const { url } = await act<{ url: string }>('/sign-in')
  await enter(page, url)
  return said
}
