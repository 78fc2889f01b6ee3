// Unbinding a repository: the server's preview, a reason, its exact name (T3).
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { Preview, Repository } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm, type Consent } from '@/shared/ui/confirm'

/** Return the verb; `changed` is called when the repository is unbound. */
export function useUnbind(changed: () => unknown) {
  const { t } = useI18n()
  const end = (repository: Repository, consent?: Consent) =>
    ok(
      api.DELETE('/api/v1/projects/{project_id}/repositories/{repository_id}', {
        params: {
          path: { project_id: repository.project_id, repository_id: repository.id },
          query: consent ? {} : { preview: true },
          header: { 'If-Match': `"${repository.version}"` },
        } as never,
        body: consent
          ? {
              reason: consent.reason,
              confirm_token: consent.confirmToken,
              confirm_name: consent.confirmName,
            }
          : {},
      }),
    )
  const write = useWrite((_: string, repository: Repository, consent: Consent) => end(repository, consent))
  async function unbind(repository: Repository): Promise<void> {
    const consent = await confirm({
      tier: 3,
      title: t('projects.unbindTitle', { repository: repository.full_name }),
      verb: t('projects.unbind'),
      preview: () => end(repository) as Promise<Preview>,
      reason: true,
      name: repository.full_name,
    })
    if (consent && (await write.run(repository, consent))) changed()
  }
  return { unbind, pending: write.pending, problem: write.problem }
}
