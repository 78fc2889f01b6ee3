// The byte gate: gzip sizes of what each page needs for its first paint, from the build's manifest (console.md §10).
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { gate, must } from './harness/figures.mjs'

const DIST = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', DIST), 'utf8'))
const BUDGET = { js: [230, 260], css: [50, 60], locale: [25, 25], lazy: [45, 60] }
const sizes = new Map()

/** Gzip -9 size of a built file in KB. */
function size(file) {
  if (!sizes.has(file))
    sizes.set(file, gzipSync(readFileSync(new URL(file, DIST)), { level: 9 }).length / 1024)
  return sizes.get(file)
}

/** Files that the browser loads with `key`: its static imports, and its style sheets. */
function closure(key, found = new Set()) {
  const chunk = manifest[key]
  if (!chunk || found.has(chunk.file)) return found
  found.add(chunk.file)
  for (const file of chunk.css ?? []) found.add(file)
  for (const next of chunk.imports ?? []) closure(next, found)
  return found
}

const sum = (files, end) =>
  [...files].filter((file) => file.endsWith(end)).reduce((total, file) => total + size(file), 0)
const shell = closure('index.html')
const locales = Object.keys(manifest).filter((key) => /i18n\/\w+\.json$/.test(key))
const appLocale = Math.max(
  0,
  ...['en', 'ru'].map((locale) => sum(closure(`src/app/i18n/${locale}.json`), '.js')),
)
const pages = Object.keys(manifest).filter(
  (key) => key.startsWith('src/features/') && key.endsWith('Page.vue'),
)
const report = (name, size, goal) => gate(name, size, 'KB', goal)

report('shell js', sum(shell, '.js') + appLocale, BUDGET.js)
for (const key of pages) {
  const files = closure(key, new Set(shell))
  const area = key.split('/')[2]
  const words = Math.max(
    ...['en', 'ru'].map((l) => sum(closure(`src/features/${area}/i18n/${l}.json`), '.js')),
  )
  const own = new Set([...files].filter((file) => !shell.has(file)))
  report(`first paint js: ${key.slice(13)}`, sum(files, '.js') + words + appLocale, BUDGET.js)
  report(`  its own js`, sum(own, '.js'), BUDGET.lazy)
  report(`  css`, sum(files, '.css'), BUDGET.css)
}
for (const key of locales) report(`locale ${key.slice(4)}`, sum(closure(key), '.js'), BUDGET.locale)
const fonts = Object.values(manifest).flatMap((chunk) => [chunk.file, ...(chunk.assets ?? [])])
must('no web font in the build', !fonts.some((file) => /\.(woff2?|ttf|otf)$/.test(file)))
