// A failed request as one error class. `code` is stable; the text for people is made from it (problemWords.ts).
export interface ProblemBody {
  code?: string
  status?: number
  detail?: string
  request_id?: string
  retryable?: boolean
  retry_after_s?: number | null
  params?: Record<string, unknown>
  errors?: { pointer: string; code: string; message: string }[]
}

export class Problem extends Error {
  readonly code: string
  readonly status: number
  readonly params: Record<string, unknown>
  readonly requestId: string | undefined
  readonly fields: { pointer: string; code: string; message: string }[]

  constructor(status: number, body: ProblemBody = {}) {
    super(body.detail ?? body.code ?? `HTTP ${status}`)
    this.name = 'Problem'
    this.status = status
    this.code = body.code ?? (status === 0 ? 'network' : `http_${status}`)
    this.params = body.params ?? {}
    this.requestId = body.request_id
    this.fields = body.errors ?? []
  }
}

/** Turn whatever was thrown into a problem; an aborted load stays what it is. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem(0, { code: 'network', detail: error instanceof Error ? error.message : String(error) })
}

/** Say whether `error` only means that nobody wants the answer any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}

/** Say whether the server answered and asking again would change nothing: forbidden, not there, not understood. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429
}
