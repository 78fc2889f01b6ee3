// How loaded data is kept: the feed decides when it is loaded anew, and a refusal is not asked for twice.
import { QueryClient } from '@tanstack/vue-query'
import { isRefusal } from '@/shared/api/problem'

const FIVE_MINUTES = 5 * 60_000

/** Make the cache of what the server answered. */
export function makeQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: FIVE_MINUTES,
        retry: (count, error) => count < 1 && !isRefusal(error),
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        structuralSharing: false,
      },
    },
  })
}
