// Deciding a request: the hash that was shown goes with it; what production needs is typed (T3); never optimistic.
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { components } from '@/shared/api/schema'
import type { ApprovalDetail, Preview } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm } from '@/shared/ui/confirm'
import { useEffectWords } from './useEffectWords'
import { shortHash } from './list'

type Form = components['schemas']['DecisionForm']
type Refusal = 'refused' | 'needs_information'

/** Return the verbs; `changed` gets the request afterwards. */
export function useDeciding(changed: (fresh: ApprovalDetail) => void) {
  const { t } = useI18n()
  const words = useEffectWords()
  const post = (approval_id: string, key: string, body: Form, preview: boolean) =>
    ok(
      api.POST('/api/v1/approvals/{approval_id}:decide', {
        params: {
          path: { approval_id },
          query: preview ? { preview } : {},
          header: { 'Idempotency-Key': key },
        },
        body,
      }),
    )
  const write = useWrite(
    (key: string, id: string, body: Form) => post(id, key, body, false) as Promise<ApprovalDetail>,
  )
  const ends = useWrite((key: string, approval_id: string, verb: 'renew' | 'cancel', reason: string) => {
    const params = { path: { approval_id }, header: { 'Idempotency-Key': key } }
    return verb === 'renew'
      ? ok(api.POST('/api/v1/approvals/{approval_id}:renew', { params, body: {} }))
      : ok(api.POST('/api/v1/approvals/{approval_id}:cancel', { params, body: { reason } }))
  })
  const told = (fresh: ApprovalDetail | undefined) => fresh && changed(fresh)

  async function approve(request: ApprovalDetail, acknowledge_sole: boolean): Promise<void> {
    const body: Form = { decision: 'approve', action_hash: request.action_hash, acknowledge_sole }
    const typed = request.typed_confirm
    const consent = await confirm({
      tier: typed ? 3 : 1,
      title: words(request),
      body: t('approvals.bound', { hash: shortHash(request.action_hash) }),
      verb: t('approvals.approve'),
      gentle: !typed,
      ...(typed && {
        name: request.confirm_name ?? request.target_name,
        preview: () => post(request.id, crypto.randomUUID(), body, true) as Promise<Preview>,
      }),
    })
    if (consent === null) return
    const { confirmToken, confirmName } = consent
    told(await write.run(request.id, { ...body, confirm_token: confirmToken, confirm_name: confirmName }))
  }
  async function deny(
    request: ApprovalDetail,
    reason_code: Refusal,
    acknowledge_sole: boolean,
  ): Promise<void> {
    const consent = await confirm({
      tier: 1,
      title: words(request),
      body: t(`approvals.denyBody.${reason_code}`),
      verb: t(`approvals.deny.${reason_code}`),
      reason: true,
    })
    if (consent === null) return
    const { action_hash } = request
    const body: Form = {
      decision: 'deny',
      action_hash,
      reason: consent.reason,
      reason_code,
      acknowledge_sole,
    }
    told(await write.run(request.id, body))
  }
  async function end(request: ApprovalDetail, verb: 'renew' | 'cancel'): Promise<ApprovalDetail | undefined> {
    const consent = await confirm({
      tier: 1,
      title: words(request),
      body: t(`approvals.${verb}Body`),
      verb: t(`approvals.${verb}`),
      reason: verb === 'cancel',
      gentle: verb === 'renew',
    })
    if (consent === null) return undefined
    const fresh = await ends.run(request.id, verb, consent.reason)
    told(fresh)
    return fresh
  }
  return { approve, deny, end, write, ends }
}
