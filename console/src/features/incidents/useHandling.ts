// What may be done with an error: seen by me (with Undo), muted and resolved for everybody (with a reason).
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { Incident, IncidentDetail } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm } from '@/shared/ui/confirm'
import { say } from '@/shared/ui/toast'

/** For how many hours an error may be muted. */
export const MUTES = { hour: 1, day: 24, week: 168 } as const
export type Mute = keyof typeof MUTES

/** Return the verbs; `changed` gets what each answers. */
export function useHandling(changed: (fresh: IncidentDetail) => void) {
  const { t } = useI18n()
  const path = (item: Pick<Incident, 'id'>) => ({ path: { incident_id: item.id } })
  const header = (key: string) => ({ header: { 'Idempotency-Key': key } })
  const seeing = useWrite((key: string, item: Pick<Incident, 'id'>, seen: boolean) =>
    ok(
      api.POST(`/api/v1/incidents/{incident_id}:${seen ? 'view' : 'unview'}`, {
        params: { ...path(item), ...header(key) },
        body: {},
      }),
    ),
  )
  const muting = useWrite((key: string, item: Pick<Incident, 'id'>, hours: number, reason: string) =>
    ok(
      api.POST('/api/v1/incidents/{incident_id}:mute', {
        params: { ...path(item), ...header(key) },
        body: { hours, reason },
      }),
    ),
  )
  const resolving = useWrite((key: string, item: Pick<Incident, 'id'>) =>
    ok(
      api.POST('/api/v1/incidents/{incident_id}:resolve', {
        params: { ...path(item), ...header(key) },
        body: { reason: null },
      }),
    ),
  )
  async function see(item: Pick<Incident, 'id'>, seen: boolean): Promise<void> {
    const fresh = await seeing.run(item, seen)
    if (!fresh) return
    changed(fresh)
    say(t(seen ? 'errors.viewed' : 'errors.unviewed'), () => void see(item, !seen))
  }
  async function mute(item: Pick<Incident, 'id'>, span: Mute): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title: t('errors.muteTitle'),
      body: t('errors.muteBody', { span: t(`errors.for.${span}`) }),
      verb: t('errors.muteVerb'),
      reason: true,
    })
    const fresh = consent && (await muting.run(item, MUTES[span], consent.reason))
    if (fresh) changed(fresh)
  }
  async function resolve(item: Pick<Incident, 'id'>): Promise<void> {
    const consent = await confirm({
      tier: 1,
      title: t('errors.resolveTitle'),
      body: t('errors.resolveBody'),
      verb: t('errors.resolve'),
    })
    const fresh = consent && (await resolving.run(item))
    if (fresh) changed(fresh)
  }
  const problem = computed(() => seeing.problem.value ?? muting.problem.value ?? resolving.problem.value)
  const pending = computed(() => muting.pending.value || resolving.pending.value)
  return { see, mute, resolve, pending, problem }
}
