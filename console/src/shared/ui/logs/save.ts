// Logs as files: without escape codes, or only what a filter shows. The size is known before anything is saved.
import { plain } from './ansi'
import type { LogSource } from './source'

/** Return the text of `source` without escape codes. */
export async function plainFile(source: LogSource, signal?: AbortSignal): Promise<Blob> {
  const parts: string[] = []
  for await (const text of source.texts(signal)) parts.push(withoutCodes(text))
  return new Blob(parts, { type: 'text/plain;charset=utf-8' })
}

/** Return whole lines without escape codes. */
export function withoutCodes(text: string): string {
  if (!text.includes('\u001b') && !text.includes('\r')) return text
  return text.split('\n').map(plain).join('\n')
}

/** Hand a file to the browser's downloads. */
export function save(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

/** Return a name for a file from what the log is of. */
export function fileName(title: string, kind = ''): string {
  const words = [title, kind].filter(Boolean).join(' ')
  return `${words.replace(/[^\p{L}\p{N}.-]+/gu, '-').replace(/^-+|-+$/g, '') || 'log'}.txt`
}
