// Times and durations for people: relative in lists, absolute in details, in one zone (console.md §7.6).
const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const UNITS: Record<string, [string, string, string, string]> = {
  en: ['d', 'h', 'min', 's'],
  ru: ['д', 'ч', 'мин', 'с'],
}

/** Write seconds as the two largest units: `2 h 10 min`. */
export function duration(seconds: number, locale: string): string {
  const rest = Math.max(0, Math.floor(seconds))
  const units = UNITS[locale] ?? UNITS.en!
  const parts = [
    Math.floor(rest / DAY),
    Math.floor((rest % DAY) / HOUR),
    Math.floor((rest % HOUR) / MINUTE),
    rest % MINUTE,
  ]
  const first = parts.findIndex((part) => part > 0)
  if (first === -1) return `0 ${units[3]}`
  return parts
    .map((part, place) => ({ part, place }))
    .filter(({ part, place }) => part > 0 && place >= first && place < first + 2)
    .map(({ part, place }) => `${part} ${units[place]}`)
    .join(' ')
}

const relatives = new Map<string, Intl.RelativeTimeFormat>()
const absolutes = new Map<string, Intl.DateTimeFormat>()

/** Write `at` as seen from `now`: `3 minutes ago`, `in 2 hours`. */
export function relative(at: number, now: number, locale: string): string {
  const format = relatives.get(locale) ?? new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  relatives.set(locale, format)
  const seconds = Math.round((at - now) / 1000)
  const size = Math.abs(seconds)
  if (size < MINUTE) return format.format(seconds, 'second')
  if (size < HOUR) return format.format(Math.trunc(seconds / MINUTE), 'minute')
  if (size < DAY) return format.format(Math.trunc(seconds / HOUR), 'hour')
  return format.format(Math.trunc(seconds / DAY), 'day')
}

/** Write `at` with date, seconds and the zone's name. */
export function absolute(at: number, locale: string, zone: string | undefined): string {
  const name = `${locale} ${zone ?? ''}`
  const form: Intl.DateTimeFormatOptions = {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
    timeZoneName: 'short',
    timeZone: zone,
  }
  const format = absolutes.get(name) ?? new Intl.DateTimeFormat(locale, form)
  absolutes.set(name, format)
  return format.format(at)
}

/** Write only the time of day. */
export function timeOfDay(at: number, locale: string, zone: string | undefined): string {
  const form: Intl.DateTimeFormatOptions = {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hour12: false,
  }
  return new Intl.DateTimeFormat(locale, { ...form, timeZone: zone }).format(at)
}

/** Write a number of bytes: `7.9 MB`. */
export function bytes(size: number, locale: string): string {
  const units = locale === 'ru' ? ['Б', 'КБ', 'МБ', 'ГБ'] : ['B', 'KB', 'MB', 'GB']
  const place = size < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(size) / 3))
  const value = size / 1000 ** place
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: place === 0 ? 0 : 1 }).format(value)} ${units[place]}`
}
