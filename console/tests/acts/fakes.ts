// Runs a composable as a page does, answers the server's part, and agrees to what is asked.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { vi } from 'vitest'
import { defineComponent } from 'vue'
import { i18n } from '@/shared/i18n'
import { asked, type Question } from '@/shared/ui/confirm'

export interface Sent {
  method: string
  path: string
  query: string
  headers: Headers
  body: unknown
}

/** Answer every request with what `answer` returns; the requests are kept. */
export function serve(answer: (sent: Sent) => unknown): Sent[] {
  const all: Sent[] = []
  vi.stubGlobal('fetch', async (input: Request | string, init?: RequestInit) => {
    const request =
      input instanceof Request ? input : new Request(new URL(input, 'http://console.test'), init)
    const url = new URL(request.url)
    const text = await request.text()
    const sent = {
      method: request.method,
      path: url.pathname,
      query: url.search,
      headers: request.headers,
      body: text ? (JSON.parse(text) as unknown) : null,
    }
    all.push(sent)
    const found = answer(sent)
    return found instanceof Response ? found : new Response(JSON.stringify(found), { status: 200 })
  })
  return all
}

/** Call a composable inside a component; what it returns can be used as long as the test lasts. */
export function inPage<T>(use: () => T): T {
  setActivePinia(createPinia())
  let result!: T
  mount(
    defineComponent({
      setup() {
        result = use()
        return () => null
      },
    }),
    { global: { plugins: [i18n] } },
  )
  return result
}

/** Read the preview of the question that is open, give the consent, and return the question. */
export async function agree(reason = 'because', confirmName?: string): Promise<Question> {
  await flushPromises()
  const open = asked.value!
  const preview = await open.question.preview?.()
  open.answer({ reason, confirmToken: preview?.confirm_token, confirmName })
  await flushPromises()
  return open.question
}
