// Fail when the committed API types are not what docs/openapi.json makes.
import { readFileSync } from 'node:fs'
import openapi, { astToString } from 'openapi-typescript'

const document = new URL('../../docs/openapi.json', import.meta.url)
const committed = new URL('../src/shared/api/schema.d.ts', import.meta.url)
const fresh = astToString(await openapi(document, { alphabetize: true, emptyObjectsUnknown: true }))
const body = (text) => text.replace(/^\/\*\*[\s\S]*?\*\/\s*/, '').trim()

if (body(readFileSync(committed, 'utf8')) !== body(fresh)) {
  console.error('src/shared/api/schema.d.ts is not current: run `python -m tools.npm run api`')
  process.exit(1)
}
