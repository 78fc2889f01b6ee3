import { afterEach, describe, expect, test, vi } from 'vitest'
import { useUserActions } from '@/features/identity/useUserActions'
import { useMemberActions } from '@/features/projects/useMemberActions'
import { useUnbind } from '@/features/projects/useUnbind'
import type { Member, Repository, User } from '@/shared/api/types'
import { agree, inPage, serve, type Sent } from './fakes'

const preview = { stops: [], lost: [], survives: [], confirm_token: 'seen', expires_at: '' }
const member = { project_id: 'p1', user_id: 'u1', role: 'read', version: 4, display_name: 'Ann' } as Member
const user = { id: 'u1', email: 'ann@x.test', role: 'admin', version: 7, display_name: 'Ann' } as User
const repository = { id: 'r1', project_id: 'p1', version: 2, full_name: 'shop/api' } as Repository
const answering = (fresh: unknown) => serve((sent) => (sent.query.includes('preview') ? preview : fresh))
const short = ({ method, path, query }: Sent) => `${method} ${path}${query}`

afterEach(() => vi.unstubAllGlobals())

describe('members', () => {
  test('a role is changed after the preview, with its token and the version that was read', async () => {
    const sent = answering({ ...member, role: 'admin' })
    let changed = 0
    const acts = inPage(() => useMemberActions(() => changed++))
    const done = acts.changeRole(member, 'admin')
    expect((await agree()).tier).toBe(2)
    await done
    expect(sent.map(short)).toEqual([
      'PATCH /api/v1/projects/p1/members/u1?preview=true',
      'PATCH /api/v1/projects/p1/members/u1',
    ])
    expect(sent[1]!.body).toEqual({ role: 'admin', confirm_token: 'seen', reason: 'because' })
    expect(sent[1]!.headers.get('if-match')).toBe('"4"')
    expect(changed).toBe(1)
  })
  test('a membership ends after the preview; a refusal is shown and nothing is read again', async () => {
    const refused = new Response(JSON.stringify({ code: 'version_mismatch' }), { status: 412 })
    const sent = answering(refused)
    let changed = 0
    const acts = inPage(() => useMemberActions(() => changed++))
    const done = acts.remove(member)
    await agree()
    await done
    expect(sent[1]).toMatchObject({ method: 'DELETE', body: { confirm_token: 'seen', reason: 'because' } })
    expect(acts.problem.value?.code).toBe('version_mismatch')
    expect(changed).toBe(0)
  })
})

describe('users', () => {
  test('a disabled person is let in again after the preview', async () => {
    const sent = answering({ ...user, state: 'active' })
    const fresh: User[] = []
    const acts = inPage(() =>
      useUserActions(
        (now) => fresh.push(now),
        () => undefined,
      ),
    )
    const done = acts.enable(user)
    await agree()
    await done
    expect(sent[1]!.body).toEqual({ state: 'active', confirm_token: 'seen', reason: 'because' })
    expect(fresh[0]?.state).toBe('active')
  })
  test('a person is disabled with a reason; the account of the forge is looked up before it is agreed to', async () => {
    const sent = answering({ ...user, state: 'disabled' })
    const acts = inPage(() =>
      useUserActions(
        () => undefined,
        () => undefined,
      ),
    )
    const done = acts.disable(user)
    expect(await agree('left')).toMatchObject({ tier: 2, reason: true })
    await done
    expect(sent[1]!.body).toEqual({ confirm_token: 'seen', reason: 'left' })
    const pinned = acts.pinAccount(user, 'octo')
    expect(await agree('asked')).toMatchObject({ tier: 2, reason: true })
    await pinned
    expect(sent.slice(2).map(short)).toEqual([
      'PATCH /api/v1/users/u1?preview=true',
      'PATCH /api/v1/users/u1',
    ])
    expect(sent[2]!.body).toEqual({ github_login: 'octo' })
    expect(sent[3]!.body).toEqual({ github_login: 'octo', confirm_token: 'seen', reason: 'asked' })
  })
  test('ownership goes to an administrator whose exact e-mail was typed', async () => {
    const sent = answering({ ...user, role: 'owner' })
    let moved = 0
    const acts = inPage(() =>
      useUserActions(
        () => undefined,
        () => moved++,
      ),
    )
    const done = acts.transfer(user)
    const question = await agree('I leave', user.email)
    await done
    expect(question).toMatchObject({ tier: 3, name: 'ann@x.test', reason: true })
    expect(sent[1]!.body).toEqual({
      user_id: 'u1',
      confirm_token: 'seen',
      confirm_name: 'ann@x.test',
      reason: 'I leave',
    })
    expect(moved).toBe(1)
  })
})

test('a repository is unbound with the preview, a reason and its exact name', async () => {
  const sent = answering({ id: 'r1' })
  let changed = 0
  const acts = inPage(() => useUnbind(() => changed++))
  const done = acts.unbind(repository)
  expect(await agree('moved away', 'shop/api')).toMatchObject({ tier: 3, name: 'shop/api', reason: true })
  await done
  expect(sent.map(short)).toEqual([
    'DELETE /api/v1/projects/p1/repositories/r1?preview=true',
    'DELETE /api/v1/projects/p1/repositories/r1',
  ])
  expect(sent[1]!.body).toEqual({ reason: 'moved away', confirm_token: 'seen', confirm_name: 'shop/api' })
  expect(sent[1]!.headers.get('if-match')).toBe('"2"')
  expect(changed).toBe(1)
})
