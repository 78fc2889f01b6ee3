// The server of the page tests: answers by path; what a page asks for beyond that fails the test.
import { http, HttpResponse, type JsonBodyType } from 'msw'
import { setupServer } from 'msw/node'

export const AT = '2026-03-01T12:00:00Z'
export const page = (...items: object[]) => ({ items, next_cursor: null, as_of: AT })

/** What stands around the pages and is not what a test is about. */
const AROUND: Record<string, object> = {
  '/projects': page({
    id: 'p1',
    key: 'shop',
    name: 'Shop',
    weight: 1,
    locale: 'en',
    created_at: AT,
    version: 1,
  }),
  '/runs/:id/events': page(),
  '/runs/:id/attempts': page(),
  '/projects/:id/policy': { profiles: { default: 'feature', paths: { feature: ['dev'] } } },
  '/projects/:id/stats': { as_of: AT, from: '2026-02-01', to: '2026-03-01', days: [], total: {} },
  '/stats': { as_of: AT, from: '2026-02-01', to: '2026-03-01', days: [], total: {} },
  '/audit/verify': { stream: null, checked_at: null, intact: true, verified_until_seq: null },
  '/runs': page(),
  '/projects/:id/repositories': page({ id: 'g1', full_name: 'shop/api' }),
  '/me/tokens': page(),
}
const url = (path: string) => `http://console.test/api/v1${path}`
const around = Object.entries(AROUND).map(([path, body]) =>
  http.get(url(path), () => HttpResponse.json(body)),
)
const none = ['/runs/:id/result', '/runs/:id/session'].map((path) =>
  http.get(url(path), () => HttpResponse.json({ code: 'not_found' }, { status: 404 })),
)

export const server = setupServer(...around, ...none)
/** What was asked for that nobody answers: msw refuses it, and the test looks here. */
export const unanswered: string[] = []
server.events.on('request:unhandled', ({ request }) => void unanswered.push(request.url))

/** Answer the reading of `path` from now on. */
export function answer(path: string, body: JsonBodyType, status = 200): void {
  server.use(http.get(url(path), () => HttpResponse.json(body, { status })))
}

/** Keep the reading of `path` waiting until the returned function is called. */
export function hold(path: string, body: JsonBodyType): () => void {
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  server.use(
    http.get(url(path), async () => {
      await gate
      return HttpResponse.json(body)
    }),
  )
  return () => release()
}
