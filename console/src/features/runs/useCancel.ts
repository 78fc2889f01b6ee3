// Cancelling a run: the server's preview, a reason, then the write with the preview's token (T2).
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import { useWrite } from '@/shared/api/useWrite'
import type { Preview, Run } from '@/shared/api/types'
import { confirm } from '@/shared/ui/confirm'

/** Return how to cancel; the answer is the run, or undefined when the person stepped back. */
export function useCancel() {
  const { t } = useI18n()
  const path = (run: Pick<Run, 'id'>) => ({ run_id: run.id })
  const write = useWrite((key: string, run: Pick<Run, 'id'>, reason: string, token: string | undefined) =>
    ok(
      api.POST('/api/v1/runs/{run_id}:cancel', {
        params: { path: path(run), header: { 'Idempotency-Key': key } },
        body: { reason, confirm_token: token ?? null },
      }),
    ),
  )
  async function cancel(run: Pick<Run, 'id' | 'number'>): Promise<Run | undefined> {
    const preview = () =>
      ok(
        api.POST('/api/v1/runs/{run_id}:cancel', {
          params: {
            path: path(run),
            query: { preview: true },
            header: { 'Idempotency-Key': crypto.randomUUID() },
          },
          body: {},
        }),
      ) as Promise<Preview>
    const consent = await confirm({
      tier: 2,
      title: t('runs.cancelTitle', { run: run.number }),
      verb: t('runs.cancelVerb'),
      preview,
      reason: true,
    })
    if (consent === null) return undefined
    return (await write.run(run, consent.reason, consent.confirmToken)) as Run | undefined
  }
  return { cancel, pending: write.pending, problem: write.problem }
}
