// Addresses in a line become links, masked secrets stand out: masking must not look like emptiness. Pure.
import type { Piece } from './ansi'

/** An address (without what ends the sentence around it), or what stands for a secret. */
const SPECIAL = /https?:\/\/[^\s<>"'`«»]*[^\s<>"'`«».,;:!?)\]}]|«redacted»|••• \(masked: [^)\n]{1,80}\)/giu

const MASKED = 'sw-masked'

/** Cut pieces so that each address and each masked secret is a piece of its own. */
export function linked(parts: readonly Piece[]): Piece[] {
  return parts.flatMap(cut)
}

function cut(part: Piece): Piece[] {
  const found: Piece[] = []
  let at = 0
  for (const match of part.text.matchAll(SPECIAL)) {
    if (match.index > at) found.push({ ...part, text: part.text.slice(at, match.index) })
    found.push(special(part, match[0]))
    at = match.index + match[0].length
  }
  if (at < part.text.length || found.length === 0) found.push({ ...part, text: part.text.slice(at) })
  return found
}

function special(part: Piece, text: string): Piece {
  if (!/^http/i.test(text)) return { text, classes: `${part.classes} ${MASKED}`.trim() }
  return URL.canParse(text) ? { ...part, text, href: text } : { ...part, text }
}

/** Say whether a piece stands for a secret. */
export function masked(part: Piece): boolean {
  return part.classes.endsWith(MASKED)
}

/** Say whether an address leads away from this site. */
export function foreign(href: string, here: string): boolean {
  return new URL(href).host !== here
}
