import { afterEach, describe, expect, test, vi } from 'vitest'
import { api, ok, send, useCsrf, whenSignedOut } from '@/shared/api/client'
import { Problem } from '@/shared/api/problem'
import { isConflict, useWrite } from '@/shared/api/useWrite'

interface Seen {
  url: string
  method: string
  headers: Headers
}
const seen: Seen[] = []
function answers(...list: (Response | Error)[]): void {
  seen.length = 0
  vi.stubGlobal('fetch', (input: Request | string, init?: RequestInit) => {
    const request =
      input instanceof Request ? input : new Request(new URL(input, 'http://console.test'), init)
    seen.push({ url: request.url, method: request.method, headers: request.headers })
    const next = list.shift() ?? new Response('{}')
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next)
  })
}
const problem = (status: number, code: string) =>
  new Response(JSON.stringify({ code, status, detail: 'no', request_id: 'r-1' }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  })

afterEach(() => {
  vi.unstubAllGlobals()
  useCsrf(null)
  whenSignedOut(() => undefined)
})

describe('the client', () => {
  test('writes carry the CSRF token and say JSON; reads do not', async () => {
    useCsrf('secret')
    answers()
    await send('POST', '/api/v1/x', {})
    await send('GET', '/api/v1/x')
    expect(seen[0]!.headers.get('x-csrf-token')).toBe('secret')
    expect(seen[0]!.headers.get('content-type')).toBe('application/json')
    expect(seen[1]!.headers.get('x-csrf-token')).toBeNull()
  })
  test('a problem becomes an error with its code and request id', async () => {
    answers(problem(409, 'run_publishing'))
    const error = await ok(api.GET('/api/v1/runs')).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Problem)
    expect(error).toMatchObject({ code: 'run_publishing', status: 409, requestId: 'r-1' })
  })
  test('no network is a problem of its own', async () => {
    answers(new TypeError('Failed to fetch'))
    await expect(send('GET', '/api/v1/x')).rejects.toMatchObject({ code: 'network', status: 0 })
  })
  test('401 tells the page that the person is signed out', async () => {
    let out = 0
    whenSignedOut(() => void out++)
    answers(problem(401, 'unauthenticated'), problem(401, 'unauthenticated'))
    await ok(api.GET('/api/v1/runs')).catch(() => undefined)
    await send('GET', '/api/v1/x').catch(() => undefined)
    expect(out).toBe(2)
  })
})

describe('a write', () => {
  test('keeps its key over retries of one intent and takes a new one for the next', async () => {
    const keys: string[] = []
    let fail = true
    const write = useWrite((key: string, name: string) => {
      keys.push(key)
      return fail ? Promise.reject(new Problem(503)) : Promise.resolve(name)
    })
    await write.run('a')
    expect(write.problem.value?.status).toBe(503)
    fail = false
    expect(await write.run('a')).toBe('a')
    await write.run('a')
    expect(keys[1]).toBe(keys[0])
    expect(keys[2]).not.toBe(keys[1])
  })
  test('a refused intent is over: the next try is another one', async () => {
    const keys: string[] = []
    const write = useWrite((key: string) => {
      keys.push(key)
      return Promise.reject(new Problem(412, { code: 'version.mismatch' }))
    })
    await write.run()
    await write.run()
    expect(keys[0]).not.toBe(keys[1])
    expect(isConflict(write.problem.value)).toBe(true)
  })
})
