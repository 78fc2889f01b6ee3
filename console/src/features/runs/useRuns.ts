// The live list of runs for the filters in the address.
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, ok } from '@/shared/api/client'
import type { Run } from '@/shared/api/types'
import { useLiveList } from '@/shared/realtime/useLiveList'
import { byAge, matchesRun, needsLoad, pullRequestOf, type RunFilters } from './list'

const PAGE = 50

/** Follow the runs that match `filters`, from when they are `listed`. */
export function useRuns(
  filters: MaybeRefOrGetter<RunFilters>,
  busy?: () => boolean,
  listed: MaybeRefOrGetter<boolean> = true,
) {
  const wanted = computed(() => toValue(filters))
  return useLiveList<Run>({
    topic: () => (toValue(listed) ? 'runs' : null),
    params: wanted,
    load: (cursor, signal) => {
      const set = Object.entries(wanted.value).filter(([, values]) => values.length > 0)
      const query = { ...Object.fromEntries(set), limit: PAGE, ...(cursor ? { cursor } : {}) }
      return ok(api.GET('/api/v1/runs', { params: { query: query as never }, signal }))
    },
    matches: (run) => matchesRun(run, wanted.value),
    sort: byAge,
    beside: pullRequestOf,
    one: (run_id) => ok(api.GET('/api/v1/runs/{run_id}', { params: { path: { run_id } } })),
    incomplete: needsLoad,
    busy,
  })
}
