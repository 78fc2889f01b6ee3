// Keys that work on every layout: a letter by `key` when it is ASCII, else by the place of the key (console.md §7.8).
import { onScopeDispose } from 'vue'

export interface Keys {
  key: string
  code: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  shiftKey: boolean
}

/** Name the key that was pressed, e.g. `mod+k`, `g`, `shift+g`, `/`, `?`, `escape`. */
export function keyName(event: Keys): string {
  const mod = event.ctrlKey || event.metaKey ? 'mod+' : ''
  if (event.code === 'Slash' || event.key === '/' || event.key === '?') {
    const question = event.key === '?' || (event.key !== '/' && event.shiftKey)
    return `${mod}${question ? '?' : '/'}`
  }
  const key = letterOf(event) ?? event.key.toLowerCase()
  return `${mod}${event.shiftKey && key.length === 1 ? 'shift+' : ''}${key}`
}

function letterOf(event: Keys): string | null {
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase()
  const place = /^Key([A-Z])$/.exec(event.code)
  return place ? place[1]!.toLowerCase() : null
}

const EDITABLE = 'input, textarea, select, [contenteditable="true"], [role="textbox"]'
const CHORD = 1200
const OFF = 'stagewright.keys'
type Actions = Record<string, (event: KeyboardEvent) => void | false>

/** Single letters can be switched off (WCAG 2.1.4). */
export function lettersOn(): boolean {
  return localStorage.getItem(OFF) !== 'off'
}

export function setLetters(on: boolean): void {
  localStorage.setItem(OFF, on ? 'on' : 'off')
}

/** Call actions by key name; `g i` is one key after the other. An action that returns false leaves the event alone. */
export function useHotkeys(
  actions: Actions,
  target: Pick<HTMLElement, 'addEventListener' | 'removeEventListener'> = window,
): void {
  let first: { name: string; at: number } | null = null
  const listen = (raw: Event) => {
    const event = raw as KeyboardEvent
    if (event.defaultPrevented || event.altKey) return
    const name = keyName(event)
    const alone = !name.startsWith('mod+') && name.replace('shift+', '').length === 1
    if (alone && (!lettersOn() || (event.target as Element | null)?.closest?.(EDITABLE))) return
    const chord = first && event.timeStamp - first.at < CHORD ? `${first.name} ${name}` : null
    const action = (chord && actions[chord]) || actions[name]
    first = alone && !chord ? { name, at: event.timeStamp } : null
    if (action && action(event) !== false) event.preventDefault()
  }
  target.addEventListener('keydown', listen)
  onScopeDispose(() => target.removeEventListener('keydown', listen))
}
