// Browser tests over the real processes: started by tests/e2e/console, which says where the stack and its door are.
import { execFileSync } from 'node:child_process'
import { defineConfig } from '@playwright/test'

function chromium(): string {
  if (process.env.CONSOLE_CHROMIUM) return process.env.CONSOLE_CHROMIUM
  return execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim()
}

const args =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'
const launchOptions = { executablePath: chromium(), args: args.split(' ') }

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    baseURL: process.env.CONSOLE_URL,
    launchOptions,
    trace: 'retain-on-failure',
    viewport: { width: 1280, height: 800 },
  },
  projects: [
    { name: 'en', use: { locale: 'en-US', timezoneId: 'UTC' }, testIgnore: '*.ru.spec.ts' },
    { name: 'ru', use: { locale: 'ru-RU', timezoneId: 'Europe/Moscow' }, testMatch: '*.ru.spec.ts' },
  ],
})
