// A unified diff as lines of a kind. Pure.
export interface DiffLine {
  text: string
  kind: 'file' | 'hunk' | 'added' | 'removed' | 'same'
}
const FILE =
  /^(diff --git |index |--- |\+\+\+ |new file|deleted file|similarity|rename |old mode|new mode|Binary )/

/** Split a diff into lines; inside a hunk a line that looks like a header is text. */
export function diffLines(diff: string): DiffLine[] {
  const found: DiffLine[] = []
  let [old, now] = [0, 0]
  for (const text of diff.replace(/\n$/, '').split('\n')) {
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(text)
    if (hunk) [old, now] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)]
    const kind = hunk ? 'hunk' : old + now > 0 ? kindOf(text) : FILE.test(text) ? 'file' : 'same'
    if (kind === 'removed' || kind === 'same') old = Math.max(0, old - 1)
    if (kind === 'added' || kind === 'same') now = Math.max(0, now - 1)
    found.push({ text, kind })
  }
  return found
}

function kindOf(text: string): DiffLine['kind'] {
  return text.startsWith('+') ? 'added' : text.startsWith('-') ? 'removed' : 'same'
}
