// Changing a member's role and ending a membership: the server's preview first, and a reason (T2).
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import type { Member, Preview } from '@/shared/api/types'
import { useWrite } from '@/shared/api/useWrite'
import { confirm, type Consent } from '@/shared/ui/confirm'

type Role = Member['role']
const PATH = '/api/v1/projects/{project_id}/members/{user_id}'

/** Return the verbs; `changed` is called when the server agreed. */
export function useMemberActions(changed: () => unknown) {
  const { t } = useI18n()
  const params = (member: Member, preview: boolean) =>
    ({
      path: { project_id: member.project_id, user_id: member.user_id },
      query: preview ? { preview } : {},
      header: { 'If-Match': `"${member.version}"` },
    }) as never
  const agreedTo = (consent?: Consent) =>
    consent && { confirm_token: consent.confirmToken, reason: consent.reason }
  const patch = (member: Member, role: Role, consent?: Consent) =>
    ok(api.PATCH(PATH, { params: params(member, !consent), body: { role, ...agreedTo(consent) } }))
  const end = (member: Member, consent?: Consent) =>
    ok(api.DELETE(PATH, { params: params(member, !consent), body: { ...agreedTo(consent) } }))
  const roles = useWrite((_: string, member: Member, role: Role, consent: Consent) =>
    patch(member, role, consent),
  )
  const ends = useWrite((_: string, member: Member, consent: Consent) => end(member, consent))

  async function changeRole(member: Member, role: Role): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title: t('members.roleTitle', { name: member.display_name, role: t(`role.${role}`) }),
      verb: t('members.change'),
      preview: () => patch(member, role) as Promise<Preview>,
      reason: true,
    })
    if (consent && (await roles.run(member, role, consent))) changed()
  }
  async function remove(member: Member): Promise<void> {
    const consent = await confirm({
      tier: 2,
      title: t('members.removeTitle', { name: member.display_name }),
      verb: t('members.remove'),
      preview: () => end(member) as Promise<Preview>,
      reason: true,
    })
    if (consent && (await ends.run(member, consent))) changed()
  }
  return { changeRole, remove, problem: computed(() => roles.problem.value ?? ends.problem.value) }
}
