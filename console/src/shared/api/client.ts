// The one way to the server: typed calls, the CSRF token on writes, problems as errors.
import createClient, { type Middleware } from 'openapi-fetch'
import { Problem, isAbort, toProblem, type ProblemBody } from './problem'
import type { paths } from './schema'

const UNSAFE = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
let csrf: string | null = null
let onSignedOut: () => void = () => undefined

/** Keep the token of `GET /me` for the writes that follow. */
export function useCsrf(token: string | null | undefined): void {
  csrf = token ?? null
}

/** Say what happens when the server does not know the person any more. */
export function whenSignedOut(action: () => void): void {
  onSignedOut = action
}

/** Headers that every write needs: the CSRF token, and JSON even where there is no body (access.md §2.4). */
export function writeHeaders(): Record<string, string> {
  return { 'content-type': 'application/json', ...(csrf ? { 'x-csrf-token': csrf } : {}) }
}

const guard: Middleware = {
  onRequest({ request }) {
    if (!UNSAFE.has(request.method)) return
    for (const [name, value] of Object.entries(writeHeaders())) request.headers.set(name, value)
  },
  onResponse({ response }) {
    if (response.status === 401) onSignedOut()
  },
}

export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? '',
  credentials: 'same-origin',
  fetch: (request) => globalThis.fetch(request),
})
api.use(guard)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** Wait for a typed call and return its body, or throw its problem. */
export async function ok<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await call
  } catch (error) {
    throw isAbort(error) ? error : toProblem(error)
  }
  if (!answer.response.ok) throw new Problem(answer.response.status, answer.error as ProblemBody)
  return answer.data as T
}

/** Call a path outside the typed document or with a body of its own kind; the same headers and problems. */
export async function send<T>(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const headers: Record<string, string> = UNSAFE.has(method) ? writeHeaders() : {}
  const text = body === undefined ? (UNSAFE.has(method) ? '{}' : undefined) : JSON.stringify(body)
  let response: Response
  try {
    response = await fetch(path, { method, headers, body: text, signal, credentials: 'same-origin' })
  } catch (error) {
    throw isAbort(error) ? error : toProblem(error)
  }
  if (response.status === 401 && !path.startsWith('/auth')) onSignedOut()
  const value: unknown = response.status === 204 ? null : await response.json().catch(() => null)
  if (!response.ok) throw new Problem(response.status, (value ?? {}) as ProblemBody)
  return value as T
}

/** Read bytes `from`..`to` (exclusive) of a path that serves byte ranges. */
export async function readRange(
  path: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (to <= from) return new Uint8Array()
  const response = await fetch(path, {
    headers: { range: `bytes=${from}-${to - 1}` },
    credentials: 'same-origin',
    signal,
  })
  if (response.status === 401) onSignedOut()
  if (!response.ok)
    throw new Problem(response.status, (await response.json().catch(() => ({}))) as ProblemBody)
  return new Uint8Array(await response.arrayBuffer())
}
