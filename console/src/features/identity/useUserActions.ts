// Changing a person's role, disabling them and letting them in again (T2), making them the owner (T3).
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { Preview, User } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm, type Consent } from '@/shared/ui/confirm'

type Role = User['role']
type Change = { role?: Role; state?: 'active'; confirm_token?: string }

/** Return the verbs; `changed` gets the person afterwards, `moved` is called when I am the owner no more. */
export function useUserActions(changed: (user: User) => void, moved: () => void) {
  const { t } = useI18n()
  const patch = (user: User, body: Change, preview: boolean) => {
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
  const handing = (user: User, key: string, consent?: Consent) =>
    ok(
      api.POST('/api/v1/users:transfer-ownership', {
        params: { query: consent ? {} : { preview: true }, header: { 'Idempotency-Key': key } },
        body: {
          user_id: user.id,
          confirm_token: consent?.confirmToken,
          confirm_name: consent?.confirmName,
        },
      }),
    )
  const edits = useWrite((_: string, user: User, change: Change) => patch(user, change, false))
  const ends = useWrite((key: string, user: User, token?: string) => ending(user, key, token))
  const hands = useWrite((key: string, user: User, consent: Consent) => handing(user, key, consent))
  async function edit(user: User, change: Change, title: string, verb: string): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title,
      verb,
      preview: () => patch(user, change, true) as Promise<Preview>,
    })
    const fresh = consent && (await edits.run(user, { ...change, confirm_token: consent.confirmToken }))
    if (fresh) changed(fresh as User)
  }
  const changeRole = (user: User, role: Role) =>
    edit(user, { role }, t('me.roleTitle', { name: user.display_name }), t(`me.make.${role}`))
  const enable = (user: User) =>
    edit(user, { state: 'active' }, t('me.enableTitle', { name: user.display_name }), t('me.enable'))
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
  /** Make an administrator the owner in my place; all my sessions end. */
  async function transfer(user: User): Promise<void> {
    const consent = await confirm({
      tier: 3,
      title: t('me.transferTitle', { name: user.display_name }),
      verb: t('me.make.owner'),
      preview: () => handing(user, crypto.randomUUID()) as Promise<Preview>,
      name: user.email,
    })
    if (consent && (await hands.run(user, consent))) moved()
  }
  const problem = computed(() => edits.problem.value ?? ends.problem.value ?? hands.problem.value)
  return { changeRole, disable, enable, transfer, problem }
}
