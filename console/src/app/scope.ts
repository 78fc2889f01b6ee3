// The scope of the console: read from the address where a screen has one, and taken along to the next screen.
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { LocationQuery, RouteLocationNormalized, RouteLocationRaw, Router } from 'vue-router'
import { SCOPE, scopeOf } from '@/shared/ui/scope'

export const useScope = defineStore('scope', () => {
  const query = shallowRef<LocationQuery>({})

  /** Remember the scope of the screen that is shown; what a screen cannot be narrowed by stays as it was. */
  function keep(route: RouteLocationNormalized): void {
    const { scope } = route.meta
    if (!scope) return
    const { from, to } = query.value
    const time = { ...(from && { from }), ...(to && { to }) }
    query.value = { ...(scope.time ? {} : time), ...scopeOf(route.query, scope) }
  }
  /** The address of a screen with the scope that it understands. */
  function to(router: Router, name: string): RouteLocationRaw {
    return { name, query: scopeOf(query.value, router.resolve({ name }).meta.scope) }
  }
  return { query, keep, to }
})

/** Return the query with other scope values in place of those that it has. */
export function withScope(query: LocationQuery, change: LocationQuery): LocationQuery {
  const all = { ...query, ...change }
  const empty = (name: string) => SCOPE.some((one) => one === name) && (all[name] ?? []).length === 0
  return Object.fromEntries(Object.entries(all).filter(([name]) => !empty(name)))
}
