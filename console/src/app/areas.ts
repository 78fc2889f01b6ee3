// Where the words of each area are. One lazy chunk per locale and area.
import { registerArea } from '@/shared/i18n'

type Words = Record<string, unknown>
const own = import.meta.glob<{ default: Words }>('./i18n/*.json')
const features = import.meta.glob<{ default: Words }>('../features/*/i18n/*.json')
const NAME = /(?:features\/(\w+)\/)?i18n\/(\w+)\.json$/

/** Register the words of the shell and of every feature. */
export function registerWords(): void {
  const areas = new Map<string, Record<string, () => Promise<{ default: Words }>>>()
  for (const [path, load] of Object.entries({ ...own, ...features })) {
    const [, area = 'app', locale = ''] = NAME.exec(path) ?? []
    areas.set(area, { ...areas.get(area), [locale]: load })
  }
  for (const [area, loaders] of areas) registerArea(area, loaders)
}
