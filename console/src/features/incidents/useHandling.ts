// What may be done with an error: seen by me (with Undo), muted and resolved for everybody (with a reason).
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { Incident, IncidentDetail } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm } from '@/shared/ui/confirm'
import { say } from '@/shared/ui/toast'

const DAY = 24

/** Return the verbs; `changed` gets what each answers. */
export function useHandling(changed: (fresh: IncidentDetail) => void) {
  const { t } = useI18n()
  const path = (item: Pick<Incident, 'id'>) => ({ path: { incident_id: item.id } })
  const header = (key: string) => ({ header: { 'Idempotency-Key': key } })
  const see = (item: Pick<Incident, 'id'>) =>
    ok(
      api.POST('/api/v1/incidents/{incident_id}:view', {
        params: { ...path(item), ...header(crypto.randomUUID()) },
        body: {},
      }),
    )
  const unsee = (item: Pick<Incident, 'id'>) =>
    ok(
      api.POST('/api/v1/incidents/{incident_id}:unview', {
        params: { ...path(item), ...header(crypto.randomUUID()) },
        body: {},
      }),
    )
  const muting = useWrite((key: string, item: Pick<Incident, 'id'>, reason: string) =>
    ok(
      api.POST('/api/v1/incidents/{incident_id}:mute', {
        params: { ...path(item), ...header(key) },
        body: { hours: DAY, reason },
      }),
    ),
  )
  const resolving = useWrite((key: string, item: Pick<Incident, 'id'>, reason: string) =>
    ok(
      api.POST('/api/v1/incidents/{incident_id}:resolve', {
        params: { ...path(item), ...header(key) },
        body: { reason: reason || null },
      }),
    ),
  )
  async function view(item: Pick<Incident, 'id'>): Promise<void> {
    changed(await see(item))
    say(t('errors.viewed'), () => void unsee(item).then(changed))
  }
  async function mute(item: Pick<Incident, 'id'>): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title: t('errors.muteTitle'),
      body: t('errors.muteBody'),
      verb: t('errors.mute'),
      reason: true,
    })
    const fresh = consent && (await muting.run(item, consent.reason))
    if (fresh) changed(fresh)
  }
  async function resolve(item: Pick<Incident, 'id'>): Promise<void> {
    const consent = await confirm({
      tier: 1,
      title: t('errors.resolveTitle'),
      body: t('errors.resolveBody'),
      verb: t('errors.resolve'),
    })
    const fresh = consent && (await resolving.run(item, ''))
    if (fresh) changed(fresh)
  }
  return { view, mute, resolve, pending: muting.pending, problem: muting.problem }
}
