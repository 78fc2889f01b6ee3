// Terminal output as text pieces with classes, never as markup (console.md §7.1.6).
import Anser from 'anser'

export interface Piece {
  text: string
  classes: string
  /** Where it leads to. */
  href?: string
}

const OSC = /\u001b\][\s\S]*?(?:\u0007|\u001b\\)/g
const CHARSET = /\u001b[()][0-9A-Za-z]/g
const OTHER = /\u001b(?:[=>78MDEHNOc]|\[[0-9;?]*[A-LN-Za-ln-z])/g
/** A code that a cut went through. */
const HALF_CODE = /\u001b\[?[0-9;]*$/
const CSI = /\u001b\[[0-9;?]*[A-Za-z]/g

/** Remove what draws nothing; a link keeps its label. */
function strip(line: string): string {
  return line.includes('\u001b') ? line.replace(OSC, '').replace(CHARSET, '').replace(OTHER, '') : line
}

/** Return what stands after the last lone carriage return: progress shows its last state. */
function lastState(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return text.slice(text.lastIndexOf('\r') + 1)
}

/** Return the line without any escape sequence. */
export function plain(line: string): string {
  return lastState(strip(line)).replace(CSI, '')
}

/** Return at most `length` units of a line, not ending within a code. */
export function shortened(line: string, length: number): string {
  return line.slice(0, length).replace(HALF_CODE, '')
}

/** Cut a line into pieces by colour and style. */
export function pieces(line: string): Piece[] {
  const text = lastState(strip(line))
  if (!text.includes('\u001b')) return [{ text, classes: '' }]
  return Anser.ansiToJson(text, { use_classes: true, json: true, remove_empty: true }).map((part) => ({
    text: part.content,
    classes: classesOf(part),
  }))
}

interface Part {
  fg: string | null
  bg: string | null
  fg_truecolor: string | null
  bg_truecolor: string | null
  decorations?: string[]
  decoration: string | null
}

/** Text on a coloured background takes the surface's colour: any two of sixteen colours would not be readable. */
function classesOf(part: Part): string {
  const classes: string[] = []
  const fg = colour(part.fg, part.fg_truecolor)
  const bg = colour(part.bg, part.bg_truecolor)
  const styles = part.decorations ?? []
  const inverse = part.fg === 'ansi-black' && part.bg === 'ansi-white'
  if (inverse) classes.push('sw-inverse')
  else if (bg !== null) classes.push(`sw-bg-${bg}`)
  else if (fg !== null) classes.push(`sw-fg-${fg}`)
  for (const style of styles) if (STYLES.has(style)) classes.push(`sw-${style}`)
  return classes.join(' ')
}

const STYLES = new Set(['bold', 'underline', 'italic', 'dim', 'strikethrough'])
const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

/** Return a place in our palette of 16 for what anser found; 256 and true colours go to the nearest. */
function colour(name: string | null, truecolor: string | null): number | null {
  if (name === null) return null
  const bright = name.startsWith('ansi-bright-')
  const basic = NAMES.indexOf(name.replace('ansi-bright-', '').replace('ansi-', ''))
  if (basic !== -1) return bright ? basic + 8 : basic
  const palette = /^ansi-palette-(\d+)$/.exec(name)
  if (palette) return nearest(...ofPalette(Number(palette[1])))
  const parts = (truecolor ?? '').split(',').map(Number)
  return parts.length === 3 && parts.every((part) => !Number.isNaN(part))
    ? nearest(parts[0]!, parts[1]!, parts[2]!)
    : null
}

function ofPalette(n: number): [number, number, number] {
  if (n >= 232) return [8 + (n - 232) * 10, 8 + (n - 232) * 10, 8 + (n - 232) * 10]
  const cube = Math.max(0, n - 16)
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40)
  return [level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]
}

/** Greys by lightness, everything else by hue; light tones are the bright ones. */
function nearest(r: number, g: number, b: number): number {
  const [high, low] = [Math.max(r, g, b), Math.min(r, g, b)]
  if (high - low < 32) return high > 200 ? 15 : high > 130 ? 7 : high > 60 ? 8 : 0
  const hue = hueOf(r, g, b, high, high - low)
  const sector = Math.round(hue / 60) % 6
  return [1, 3, 2, 6, 4, 5][sector]! + (high + low > 330 ? 8 : 0)
}

function hueOf(r: number, g: number, b: number, high: number, range: number): number {
  if (high === r) return (((g - b) / range) * 60 + 360) % 360
  if (high === g) return ((b - r) / range) * 60 + 120
  return ((r - g) / range) * 60 + 240
}
