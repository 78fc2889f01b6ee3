// Write `.br` and `.gz` beside every text asset of `dist`, so that the gateway compresses nothing at run time.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const DIST = new URL('../dist/', import.meta.url)
const TEXT = /\.(js|css|svg|json|txt)$/
const SMALL = 512

for (const name of readdirSync(DIST, { recursive: true })) {
  if (!TEXT.test(name) || name.startsWith('.vite')) continue
  const bytes = readFileSync(new URL(name, DIST))
  if (bytes.length < SMALL) continue
  writeFileSync(new URL(`${name}.gz`, DIST), gzipSync(bytes, { level: 9 }))
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11 }
  writeFileSync(new URL(`${name}.br`, DIST), brotliCompressSync(bytes, { params: quality }))
}
