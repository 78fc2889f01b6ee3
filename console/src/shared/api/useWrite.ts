// A write of the person: one idempotency key per intent, pending, its problem; never optimistic by itself.
import { ref, shallowRef } from 'vue'
import { toProblem, type Problem } from './problem'

/** Run `call(key, …arguments)`; a retry of the same intent keeps its key, a new intent gets a new one. */
export function useWrite<A extends unknown[], R>(call: (key: string, ...args: A) => Promise<R>) {
  const pending = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let intent = ''
  let key = crypto.randomUUID()

  async function run(...args: A): Promise<R | undefined> {
    if (pending.value) return undefined
    const now = JSON.stringify(args)
    if (now !== intent) [intent, key] = [now, crypto.randomUUID()]
    pending.value = true
    problem.value = null
    try {
      const answer = await call(key, ...args)
      ;[intent, key] = ['', crypto.randomUUID()]
      return answer
    } catch (error) {
      problem.value = toProblem(error)
      const answered = problem.value.status >= 400 && problem.value.status < 500
      if (answered) [intent, key] = ['', crypto.randomUUID()]
      return undefined
    } finally {
      pending.value = false
    }
  }
  return { run, pending, problem }
}

/** Say whether somebody else changed the thing meanwhile: look again, then apply mine again. */
export function isConflict(problem: Problem | null): boolean {
  return problem !== null && [409, 412, 428].includes(problem.status)
}
