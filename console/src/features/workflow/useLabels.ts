// The labels of one repository that stay true, and writing them as the policy wants: what would change is shown first.
import { onScopeDispose, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { components } from '@/shared/api/schema'
import { useWrite } from '@/shared/api/useWrite'
import { useLiveData } from '@/shared/realtime/useLive'
import { confirm } from '@/shared/ui/confirm'
import { say } from '@/shared/ui/toast'
import { changesOf } from './labels'

const SOON = 300
export interface Place {
  project_id: string
  repository_id: string
}
type LabelsView = components['schemas']['LabelsView']

/** Follow the labels of the repository at `place`; null: none is chosen yet. */
export function useLabels(place: MaybeRefOrGetter<Place | null>) {
  const { t } = useI18n()
  let timer: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(timer))
  const live = useLiveData<LabelsView>({
    topic: () => (toValue(place) ? 'labels' : null),
    params: () => toValue(place),
    load: (signal) =>
      ok(
        api.GET('/api/v1/projects/{project_id}/repositories/{repository_id}/labels', {
          params: { path: toValue(place)! },
          signal,
        }),
      ),
    apply: (held, frames) => {
      if (frames.length > 0) {
        clearTimeout(timer)
        timer = setTimeout(() => void live.reload(), SOON)
      }
      return held
    },
  })
  const call = (key: string, path: Place, dry_run: boolean) =>
    ok(
      api.POST('/api/v1/projects/{project_id}/repositories/{repository_id}:sync-labels', {
        params: { path, query: { dry_run }, header: { 'Idempotency-Key': key } },
      }),
    )
  const look = useWrite((key: string, path: Place) => call(key, path, true))
  const write = useWrite((key: string, path: Place) => call(key, path, false))
  /** Ask what would be written, show it, and write it when the person agrees. */
  async function sync(repository: string): Promise<void> {
    const where = toValue(place)
    const planned = where && (await look.run(where))
    if (!where || !planned) return
    const changes = changesOf(planned.labels)
    if (changes.length === 0) return say(t('labels.nothingToDo'))
    const told = changes.map(({ action, texts }) => t(`labels.does.${action}`, { texts: texts.join(', ') }))
    const consent = await confirm({
      tier: 1,
      title: t('labels.syncTitle', { repository }),
      body: [...told, t('labels.deletesNothing')].join(' '),
      verb: t('labels.sync'),
      gentle: true,
    })
    if (consent && (await write.run(where))) say(t('labels.asked'))
  }
  return { live, sync, look, write }
}
