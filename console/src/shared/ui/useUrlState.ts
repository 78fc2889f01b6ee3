// Filters, sort, tab and the like live in the address: a pasted link shows the same thing.
import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'
import { SCOPE } from './scope'

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

export interface Filter {
  name: string
  label: string
  options: { value: string; title: string }[]
}
export interface Active {
  name: string
  value: string
}
/** The filters of a list, whatever their names. `own` is what the scope of the console does not show already. */
export interface Filters {
  values: { readonly value: Readonly<Record<string, string[]>> }
  active: { readonly value: readonly Active[] }
  own: { readonly value: readonly Active[] }
  set: (name: string, value: readonly string[]) => void
  remove: (item: Active) => void
  clear: () => void
}

/** Read and change the filters of a list: several values of one name mean OR. */
export function useUrlFilters<K extends string>(names: readonly K[]) {
  const [route, router] = [useRoute(), useRouter()]
  const values = computed(() => {
    const found = {} as Record<K, string[]>
    for (const name of names) {
      const value = route.query[name]
      const all = Array.isArray(value) ? value : [value]
      found[name] = all.filter((item): item is string => Boolean(item))
    }
    return found
  })
  const active = computed<Active[]>(() =>
    names.flatMap((name) => values.value[name].map((value) => ({ name, value }))),
  )
  const own = computed(() => active.value.filter(({ name }) => !SCOPE.some((scope) => scope === name)))
  const put = (query: LocationQueryRaw) => void router.replace({ query, hash: route.hash })
  const set = (name: string, value: readonly string[]) =>
    put({ ...route.query, [name]: value.length > 0 ? [...value] : undefined })
  const remove = ({ name, value }: Active) =>
    set(
      name,
      (values.value[name as K] ?? []).filter((one) => one !== value),
    )
  const clear = () =>
    put(Object.fromEntries(Object.entries(route.query).filter(([name]) => !names.includes(name as K))))
  return { values, active, own, set, remove, clear }
}
