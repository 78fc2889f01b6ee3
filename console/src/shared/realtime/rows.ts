// A list that stays true: what a load brings and what frames bring, merged by key. Pure, no Vue.
import { loaded, newer } from './merge'
import type { Frame } from './protocol'

export interface Rows<T> {
  rows: Map<string, T>
  /** Keys that matched when they were loaded and do not any more: they stay, dimmed, until the person acts. */
  left: Set<string>
  /** Keys of unknown rows that belong into the list. */
  unknown: Set<string>
  next: string | null
  asOf: string | null
}

export function noRows<T>(): Rows<T> {
  return { rows: new Map(), left: new Set(), unknown: new Set(), next: null, asOf: null }
}

/** Put a page in place of what is held (`more`: behind it), except where `meanwhile` brought something newer. */
export function withPage<T extends object>(
  held: Rows<T>,
  page: { items: T[]; next_cursor: string | null; as_of?: string },
  key: (row: T) => string,
  meanwhile: ReadonlyMap<string, Frame>,
  more = false,
): Rows<T> {
  const rows = new Map(more ? held.rows : [])
  for (const item of page.items) {
    const id = key(item)
    const frame = meanwhile.get(id)
    if (frame?.data === null) continue
    const fresh = loaded(held.rows.get(id), item)
    rows.set(id, frame?.data ? newer(fresh, frame.data as T) : fresh)
  }
  const unknown = more ? held.unknown : new Set<string>()
  return { rows, left: new Set(), unknown, next: page.next_cursor, asOf: page.as_of ?? null }
}

/** Apply frames: known keys take the newer version, unknown ones that match are noted, `null` deletes. */
export function withFrames<T extends object>(
  held: Rows<T>,
  frames: readonly Frame[],
  matches: (row: T, frame: Frame) => boolean,
): Rows<T> {
  const rows = new Map(held.rows)
  const left = new Set(held.left)
  const unknown = new Set(held.unknown)
  for (const frame of frames) {
    const { key, data } = frame
    const old = rows.get(key)
    if (data === null) {
      rows.delete(key)
      unknown.delete(key)
    } else if (old !== undefined) {
      const next = newer(old, data as T)
      rows.set(key, next)
      if (matches(next, frame)) left.delete(key)
      else left.add(key)
    } else if (matches(data as T, frame)) unknown.add(key)
    else unknown.delete(key)
  }
  return { ...held, rows, left, unknown }
}

/** Apply changes to every row; a row that none of them concerns stays the same object. */
export function withChanges<T>(held: Rows<T>, changes: readonly (((row: T) => T) | undefined)[]): Rows<T> {
  const real = changes.filter((change) => change !== undefined)
  if (real.length === 0) return held
  const changed = (row: T) => real.reduce((now, change) => change(now), row)
  return { ...held, rows: new Map([...held.rows].map(([key, row]) => [key, changed(row)])) }
}

/** Drop the rows that stopped matching. */
export function withoutLeft<T>(held: Rows<T>): Rows<T> {
  if (held.left.size === 0) return held
  const rows = new Map([...held.rows].filter(([key]) => !held.left.has(key)))
  return { ...held, rows, left: new Set() }
}
