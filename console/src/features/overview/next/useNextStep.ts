// Previewing a next step and taking it: never without a preview, never as if it had happened already (console.md §7.5).
import { ref, shallowRef, watch } from 'vue'
import { api, ok } from '@/shared/api/client'
import { toProblem, type Problem } from '@/shared/api/problem'
import type { StepForm, StepPreview, StepResult } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { changedBetween, type DiffLabel } from './step'

const CHANGED = 'labels_changed'

/** Preview `form` and let it be executed as previewed. */
export function useNextStep(form: () => StepForm | null) {
  const preview = shallowRef<StepPreview | null>(null)
  const problem = shallowRef<Problem | null>(null)
  /** What others changed since the last preview; null: nothing was changed under us. */
  const changed = shallowRef<DiffLabel[] | null>(null)
  const loading = ref(false)
  let asked = 0

  async function look(): Promise<void> {
    const [wish, mine] = [form(), ++asked]
    if (wish === null) return
    loading.value = true
    problem.value = null
    try {
      const found = await ok(api.POST('/api/v1/next-steps/preview', { body: wish }))
      if (mine === asked) preview.value = found
    } catch (error) {
      if (mine === asked) problem.value = toProblem(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }
  watch(
    () => JSON.stringify(form()),
    () => {
      ;[preview.value, changed.value] = [null, null]
      void look()
    },
    { immediate: true },
  )
  const write = useWrite((key: string, wish: StepForm, expected_labels_hash: string) =>
    ok(
      api.POST('/api/v1/next-steps/execute', {
        params: { header: { 'Idempotency-Key': key } },
        body: { ...wish, expected_labels_hash },
      }),
    ),
  )
  /** Take the step as it was shown; undefined: it was not taken, and what holds now is shown. */
  async function take(): Promise<StepResult | undefined> {
    const [wish, shown] = [form(), preview.value]
    if (wish === null || shown === null || shown.verdict !== 'start') return undefined
    changed.value = null
    const done = await write.run(wish, shown.expected_labels_hash)
    if (done !== undefined) return done
    const refusal = write.problem.value
    if (refusal === null || refusal.status === 0 || refusal.status >= 500) return undefined
    await look()
    if (refusal.code !== CHANGED || preview.value === null) return undefined
    write.problem.value = null
    changed.value = changedBetween(shown, preview.value)
    return undefined
  }
  return { preview, problem, changed, loading, look, take, pending: write.pending, refusal: write.problem }
}
