// Filters, sort, tab and the like live in the address: a pasted link shows the same thing.
import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** One value of the query; `fallback` is not written. */
export function useUrlText(name: string, fallback = ''): WritableComputedRef<string> {
  const [route, router] = [useRoute(), useRouter()]
  return computed({
    get: () => {
      const value = route.query[name]
      return (Array.isArray(value) ? value[0] : value) ?? fallback
    },
    set: (value) => {
      const query = { ...route.query, [name]: value === fallback || value === '' ? undefined : value }
      void router.replace({ query, hash: route.hash })
    },
  })
}

/** Several values of one name (OR). */
export function useUrlList(name: string): WritableComputedRef<string[]> {
  const [route, router] = [useRoute(), useRouter()]
  return computed({
    get: () => {
      const value = route.query[name]
      const all = Array.isArray(value) ? value : value == null ? [] : [value]
      return all.filter((item): item is string => item !== null)
    },
    set: (value) =>
      void router.replace({ query: { ...route.query, [name]: value.length > 0 ? value : undefined } }),
  })
}

/** Read and clear a group of filters of a list. */
export function useUrlFilters<K extends string>(names: readonly K[]) {
  const [route, router] = [useRoute(), useRouter()]
  const values = computed(() => {
    const found = {} as Record<K, string[]>
    for (const name of names) {
      const value = route.query[name]
      const all = Array.isArray(value) ? value : value == null ? [] : [value]
      found[name] = all.filter((item): item is string => item !== null && item !== '')
    }
    return found
  })
  const active = computed(() => names.flatMap((name) => values.value[name].map((value) => ({ name, value }))))
  const set = (name: K, value: string[]) =>
    void router.replace({ query: { ...route.query, [name]: value.length > 0 ? value : undefined } })
  const clear = () => {
    const kept = Object.entries(route.query).filter(([name]) => !names.includes(name as K))
    void router.replace({ query: Object.fromEntries(kept) })
  }
  return { values, active, set, clear }
}
