// Which of two states of a resource is newer: `version` is the only order there is (console.md §6.2, §6.3).
export interface Versioned {
  version?: number | null
}

/** Return the newer of both; what `next` does not carry (personal fields) is kept from `old`. */
export function newer<T extends object>(old: T | undefined, next: T): T {
  if (old === undefined) return next
  const before = (old as Versioned).version
  const after = (next as Versioned).version
  if (before != null && after != null && after <= before) return old
  return { ...old, ...next }
}

/** Like `newer` for a whole answer of REST: equal versions take the answer, which knows the personal fields. */
export function loaded<T extends object>(held: T | undefined, answer: T): T {
  const before = (held as Versioned | undefined)?.version
  const after = (answer as Versioned).version
  if (held !== undefined && before != null && after != null && before > after) return { ...answer, ...held }
  return answer
}
