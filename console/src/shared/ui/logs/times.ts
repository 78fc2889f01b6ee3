// When the lines of a log were written: one mark per chunk and second, never one per line (console.md §7.1.9).
export const TIMES = ['off', 'relative', 'absolute'] as const
export type Times = (typeof TIMES)[number]

/** From line `from_line` on the time is `at` (the server's, ISO). */
export interface Mark {
  from_line: number
  at: string
}

const SECOND = 1000
const DAY = 86_400_000

export class LogTimes {
  private lines: number[] = []
  private ats: number[] = []

  /** Take a mark, in any order. A line that several chunks made is of the last one's time. */
  note({ from_line, at }: Mark): void {
    const time = Date.parse(at)
    if (Number.isNaN(time)) return
    const place = this.after(from_line)
    if (place > 0 && this.lines[place - 1] === from_line) {
      this.ats[place - 1] = Math.max(time, this.ats[place - 1]!)
    } else if (place === 0 || !sameSecond(this.ats[place - 1]!, time)) {
      this.lines.splice(place, 0, from_line)
      this.ats.splice(place, 0, time)
    }
  }

  /** Return when the line was written; null before the first mark. */
  of(line: number): number | null {
    return this.ats[this.after(line) - 1] ?? null
  }

  get count(): number {
    return this.lines.length
  }

  get first(): number | null {
    return this.lines[0] === 0 ? this.ats[0]! : null
  }

  get last(): number | null {
    return this.ats[this.ats.length - 1] ?? null
  }

  /** The place after the last mark at or before the line. */
  private after(line: number): number {
    let [low, high] = [0, this.lines.length]
    if (high > 0 && this.lines[high - 1]! <= line) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.lines[middle]! <= line) low = middle + 1
      else high = middle
    }
    return low
  }
}

function sameSecond(one: number, other: number): boolean {
  return Math.floor(one / SECOND) === Math.floor(other / SECOND)
}

/** Write the time since the log began: `+0:07`, `+1:02:03`. */
export function elapsed(at: number, begun: number): string {
  const seconds = Math.max(0, Math.floor(at / SECOND) - Math.floor(begun / SECOND))
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const rest = two(seconds % 60)
  return hours > 0 ? `+${hours}:${two(minutes)}:${rest}` : `+${minutes}:${rest}`
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** Write the time of day in a zone; with the day for a log that is longer than one. */
export function clock(at: number, locale: string, zone: string | undefined, days: boolean): string {
  const name = `${locale} ${zone ?? ''} ${days}`
  const form: Intl.DateTimeFormatOptions = {
    ...(days ? { month: '2-digit', day: '2-digit' } : {}),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZone: zone,
  }
  const format = formats.get(name) ?? new Intl.DateTimeFormat(locale, form)
  formats.set(name, format)
  return format.format(at)
}

/** Return the zone's short name: `UTC`, `GMT+3`. */
export function zoneName(at: number, locale: string, zone: string | undefined): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' }).formatToParts(at)
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
}

/** Say how the times of a log are written; null for `off`. */
export function writer(
  times: Times,
  { begunAt, lastAt }: { begunAt: number | null; lastAt: number | null },
  locale: string,
  zone: string | undefined,
): ((at: number | null) => string) | null {
  if (times === 'off') return null
  if (times === 'relative') return (at) => (at === null || begunAt === null ? '' : elapsed(at, begunAt))
  const days = begunAt !== null && lastAt !== null && lastAt - begunAt >= DAY
  return (at) => (at === null ? '' : clock(at, locale, zone, days))
}
