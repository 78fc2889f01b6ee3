// A list with the page of one row beside it: which row is open, and the addresses that lead there and back.
import { useMediaQuery } from '@vueuse/core'
import { computed, inject, ref, watch, type InjectionKey, type Ref } from 'vue'
import { useRoute, type LocationQuery, type LocationQueryRaw, type RouteLocationRaw } from 'vue-router'

/** The id of the row that is open beside or over the list; null is none. */
export const SPLIT: InjectionKey<Readonly<Ref<string | null>>> = Symbol('split')
/** From this width on a row opens beside its list. */
export const WIDE = '(min-width: 1440px)'

/** What belongs to the page of one row, not to the list. */
const OWN = ['tab', 'stream', 'list']

/** Keep of an address what the list is narrowed to. */
export function listQuery(query: LocationQuery): LocationQuery {
  return Object.fromEntries(Object.entries(query).filter(([name]) => !OWN.includes(name)))
}

/** Say whether the list is wanted: a page of a row that was opened alone does not load it. Once wanted, it stays. */
export function useListed(id: () => string | undefined): Readonly<Ref<boolean>> {
  const wide = useMediaQuery(WIDE)
  const listed = ref(false)
  watch([id, wide], () => (listed.value ||= id() === undefined || wide.value), { immediate: true })
  return listed
}

/** Make the address of a row's page: it keeps the list's filters; another row takes the place of the open one. */
export function useRowLink(name: string, more: () => LocationQueryRaw = () => ({})) {
  const route = useRoute()
  const open = inject(SPLIT, null)
  return computed(() => {
    const query = open === null ? {} : { ...listQuery(route.query), ...more() }
    const replace = open !== null && open.value !== null
    return ({ id }: { id: string }): RouteLocationRaw => ({ name, params: { id }, query, replace })
  })
}
