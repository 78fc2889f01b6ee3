// Changing a person's role and disabling them: the server's preview first (T2).
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { Preview, User } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm } from '@/shared/ui/confirm'
import { computed } from 'vue'

type Role = User['role']

/** Return the verbs; `changed` gets the person afterwards. */
export function useUserActions(changed: (user: User) => void) {
  const { t } = useI18n()
  const patch = (user: User, body: { role: Role; confirm_token?: string }, preview: boolean) => {
    const params = {
      path: { user_id: user.id },
      query: preview ? { preview } : {},
      header: { 'If-Match': `"${user.version}"` },
    }
    return ok(api.PATCH('/api/v1/users/{user_id}', { params: params as never, body }))
  }
  const ending = (user: User, key: string, token?: string) => {
    const params = {
      path: { user_id: user.id },
      query: token ? {} : { preview: true },
      header: { 'Idempotency-Key': key, 'If-Match': `"${user.version}"` },
    }
    return ok(
      api.POST('/api/v1/users/{user_id}:disable', {
        params: params as never,
        body: token ? { confirm_token: token } : {},
      }),
    )
  }
  const roles = useWrite((_: string, user: User, role: Role, token?: string) =>
    patch(user, { role, confirm_token: token }, false),
  )
  const ends = useWrite((key: string, user: User, token?: string) => ending(user, key, token))
  async function changeRole(user: User, role: Role): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title: t('me.roleTitle', { name: user.display_name }),
      verb: t(`me.make.${role}`),
      preview: () => patch(user, { role }, true) as Promise<Preview>,
    })
    const fresh = consent && (await roles.run(user, role, consent.confirmToken))
    if (fresh) changed(fresh as User)
  }
  async function disable(user: User): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title: t('me.disableTitle', { name: user.display_name }),
      verb: t('me.disable'),
      preview: () => ending(user, crypto.randomUUID()) as Promise<Preview>,
    })
    const fresh = consent && (await ends.run(user, consent.confirmToken))
    if (fresh) changed(fresh as User)
  }
  return { changeRole, disable, problem: computed(() => roles.problem.value ?? ends.problem.value) }
}
