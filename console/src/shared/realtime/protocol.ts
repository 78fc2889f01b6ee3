// The words of the realtime contract (access.md §8, console.md §6), and the reading of its messages.
export interface Frame {
  id: string
  topic: string
  key: string
  kind: string
  version?: number | null
  at: string
  data: Record<string, unknown> | null
}

export interface Position {
  attempt: number
  stream_seq: number
}

export interface LogEnd {
  bytes: number
  lines: number
  sha256: string
  /** When it ended. */
  at?: string | null
}

export interface LogChunk extends Position {
  topic: string
  from_byte: number
  from_line: number
  /** When it was written, by the server's clock. */
  at?: string
  eof?: LogEnd | null
  bytes: Uint8Array
}

/** What polling says of a log: how far it is. The bytes are read by REST. */
export interface LogNews extends Position {
  bytes: number
  eof?: LogEnd | null
}

export interface Refusal {
  topic: string
  code: string
}

export interface Resync {
  topics: string[] | 'all'
  reason: string
}

export type Message =
  | { op: 'ready'; cursor: string; server_time: string; topics: string[]; refused: Refusal[]; behind: number }
  | { op: 'ack'; n: number; topics: string[]; refused: Refusal[] }
  | { op: 'events'; frames: Frame[]; cursor?: string | null }
  | ({ op: 'resync'; cursor: string } & Resync)
  | { op: 'ping'; at: string; cursor: string }
  | { op: 'error'; topic?: string; code: string }

export interface PollForm {
  last_event_id: string | null
  topics: string[]
  logs: Record<string, Position>
}

export interface PollAnswer {
  frames: Frame[]
  logs: Record<string, LogNews>
  refused: Refusal[]
  cursor: string
  resync: Resync | null
  server_time: string
}

export const CLOSED = { protocol: 4400, signedOut: 4401, forbidden: 4403, outdated: 4426 } as const
const LF = 10

/** Read a binary message: one JSON line, LF, then the raw bytes. */
export function readChunk(message: ArrayBuffer): LogChunk {
  const bytes = new Uint8Array(message)
  const end = bytes.indexOf(LF)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Omit<LogChunk, 'bytes'>
  return { ...head, bytes: bytes.subarray(end + 1) }
}
