// The names of the projects that the person sees: for filters and chips, where an address holds only ids.
import { useQuery } from '@tanstack/vue-query'
import { computed, type ComputedRef } from 'vue'
import { api, ok } from './client'

const MOST = 200

/** Return id → name, read once while `wanted`; empty until then. */
export function useProjectNames(wanted: () => boolean): ComputedRef<ReadonlyMap<string, string>> {
  const query = useQuery({
    queryKey: ['project-names'],
    queryFn: ({ signal }) => ok(api.GET('/api/v1/projects', { params: { query: { limit: MOST } }, signal })),
    enabled: computed(wanted),
    staleTime: 60_000,
  })
  return computed(() => new Map(query.data.value?.items.map(({ id, name }) => [id, name])))
}
