// Changing a person's role or GitHub account, disabling them and letting them in again (T2), making them the owner (T3).
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { Preview, User } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm, type Consent } from '@/shared/ui/confirm'

type Role = User['role']
type Change = { role?: Role; state?: 'active'; github_login?: string }
type Agreed = { confirm_token?: string; reason?: string }

const agreedTo = (consent: Consent): Agreed => ({
  confirm_token: consent.confirmToken,
  reason: consent.reason,
})

/** Return the verbs; `changed` gets the person afterwards, `moved` is called when I am the owner no more. */
export function useUserActions(changed: (user: User) => void, moved: () => void) {
  const { t } = useI18n()
  const patch = (user: User, body: Change & Agreed, preview: boolean) => {
    const params = {
      path: { user_id: user.id },
      query: preview ? { preview } : {},
      header: { 'If-Match': `"${user.version}"` },
    }
    return ok(api.PATCH('/api/v1/users/{user_id}', { params: params as never, body }))
  }
  const ending = (user: User, key: string, consent?: Consent) => {
    const params = {
      path: { user_id: user.id },
      query: consent ? {} : { preview: true },
      header: { 'Idempotency-Key': key, 'If-Match': `"${user.version}"` },
    }
    return ok(
      api.POST('/api/v1/users/{user_id}:disable', {
        params: params as never,
        body: consent ? agreedTo(consent) : {},
      }),
    )
  }
  const handing = (user: User, key: string, consent?: Consent) =>
    ok(
      api.POST('/api/v1/users:transfer-ownership', {
        params: { query: consent ? {} : { preview: true }, header: { 'Idempotency-Key': key } },
        body: {
          user_id: user.id,
          ...(consent && agreedTo(consent)),
          confirm_name: consent?.confirmName,
        },
      }),
    )
  const edits = useWrite((_: string, user: User, change: Change & Agreed) => patch(user, change, false))
  const ends = useWrite((key: string, user: User, consent: Consent) => ending(user, key, consent))
  const hands = useWrite((key: string, user: User, consent: Consent) => handing(user, key, consent))
  async function edit(user: User, change: Change, title: string, verb: string): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title,
      verb,
      preview: () => patch(user, change, true) as Promise<Preview>,
      reason: true,
    })
    const fresh = consent && (await edits.run(user, { ...change, ...agreedTo(consent) }))
    if (fresh) changed(fresh as User)
  }
  const changeRole = (user: User, role: Role) =>
    edit(user, { role }, t('me.roleTitle', { name: user.display_name }), t(`me.make.${role}`))
  const enable = (user: User) =>
    edit(user, { state: 'active' }, t('me.enableTitle', { name: user.display_name }), t('me.enable'))
  const pinAccount = (user: User, login: string) =>
    edit(user, { github_login: login }, t('me.pinTitle', { name: user.display_name }), t('me.pinVerb'))
  async function disable(user: User): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title: t('me.disableTitle', { name: user.display_name }),
      verb: t('me.disable'),
      preview: () => ending(user, crypto.randomUUID()) as Promise<Preview>,
      reason: true,
    })
    const fresh = consent && (await ends.run(user, consent))
    if (fresh) changed(fresh as User)
  }
  /** Make an administrator the owner in my place; all my sessions end. */
  async function transfer(user: User): Promise<void> {
    const consent = await confirm({
      tier: 3,
      title: t('me.transferTitle', { name: user.display_name }),
      verb: t('me.make.owner'),
      preview: () => handing(user, crypto.randomUUID()) as Promise<Preview>,
      reason: true,
      name: user.email,
    })
    if (consent && (await hands.run(user, consent))) moved()
  }
  const problem = computed(() => edits.problem.value ?? ends.problem.value ?? hands.problem.value)
  return { changeRole, disable, enable, pinAccount, transfer, problem }
}
