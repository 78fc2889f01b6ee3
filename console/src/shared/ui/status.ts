// The words, icons and colours of every status the server knows (console.md §7.4). Colour is never alone.
import {
  mdiAccountClock,
  mdiCancel,
  mdiCheckCircle,
  mdiClockAlert,
  mdiCloseCircle,
  mdiCogSync,
  mdiCommentQuestion,
  mdiHelpCircle,
  mdiProgressCheck,
  mdiProgressClock,
  mdiProgressClose,
  mdiShieldAccount,
  mdiSpeedometerSlow,
  mdiTrayFull,
  mdiWallet,
} from '@mdi/js'

export type Token = 'neutral' | 'info' | 'warning' | 'success' | 'error'

export interface Look {
  /** Key of the word below `status.`; null shows the raw text. */
  word: string | null
  icon: string
  token: Token
  filled?: boolean
}

export const STATUSES: Record<string, Look> = {
  queued: { word: 'queued', icon: mdiTrayFull, token: 'neutral' },
  preparing: { word: 'preparing', icon: mdiCogSync, token: 'info' },
  running: { word: 'running', icon: mdiProgressClock, token: 'info' },
  waiting: { word: 'waiting', icon: mdiAccountClock, token: 'warning' },
  finishing: { word: 'finishing', icon: mdiProgressCheck, token: 'info' },
  cancelling: { word: 'cancelling', icon: mdiProgressClose, token: 'neutral' },
  succeeded: { word: 'succeeded', icon: mdiCheckCircle, token: 'success' },
  failed: { word: 'failed', icon: mdiCloseCircle, token: 'error' },
  cancelled: { word: 'cancelled', icon: mdiCancel, token: 'neutral' },
}

export const WAITS: Record<string, Look> = {
  approval: { word: 'approval', icon: mdiShieldAccount, token: 'warning', filled: true },
  question: { word: 'question', icon: mdiCommentQuestion, token: 'warning', filled: true },
  owner_review: { word: 'owner_review', icon: mdiAccountClock, token: 'warning', filled: true },
  rate_limit: { word: 'rate_limit', icon: mdiSpeedometerSlow, token: 'warning' },
  budget: { word: 'budget', icon: mdiWallet, token: 'warning', filled: true },
}

const TIMED_OUT: Look = { word: 'timed_out', icon: mdiClockAlert, token: 'error' }
const FAILED_CLASS: Look = { word: 'failed_class', icon: mdiCloseCircle, token: 'error' }

export const ATTEMPTS: Record<string, Look> = {
  reserved: { word: 'reserved', icon: mdiTrayFull, token: 'neutral' },
  launching: { word: 'launching', icon: mdiCogSync, token: 'info' },
  live: { word: 'live', icon: mdiProgressClock, token: 'info' },
  draining: { word: 'draining', icon: mdiProgressCheck, token: 'info' },
  ended: { word: 'ended', icon: mdiCheckCircle, token: 'neutral' },
}

export const REQUESTS: Record<string, Look> = {
  requested: { word: 'requested', icon: mdiShieldAccount, token: 'warning', filled: true },
  approved: { word: 'approved', icon: mdiCheckCircle, token: 'info' },
  applying: { word: 'applying', icon: mdiProgressClock, token: 'info' },
  applied: { word: 'applied', icon: mdiCheckCircle, token: 'success' },
  denied: { word: 'denied', icon: mdiCloseCircle, token: 'error' },
  answered: { word: 'answered', icon: mdiCheckCircle, token: 'success' },
  expired: { word: 'expired', icon: mdiClockAlert, token: 'warning' },
  cancelled: { word: 'cancelled', icon: mdiCancel, token: 'neutral' },
  void: { word: 'void', icon: mdiCancel, token: 'neutral' },
  failed: { word: 'failed', icon: mdiCloseCircle, token: 'error' },
  unknown: { word: 'unknown', icon: mdiHelpCircle, token: 'warning' },
  queued: { word: 'queued', icon: mdiTrayFull, token: 'neutral' },
  delivered: { word: 'delivered', icon: mdiCheckCircle, token: 'success' },
  undeliverable: { word: 'undeliverable', icon: mdiCloseCircle, token: 'error' },
}

export const DRIFTS: Record<string, Look> = {
  ok: { word: 'ok', icon: mdiCheckCircle, token: 'success' },
  missing: { word: 'missing', icon: mdiCloseCircle, token: 'warning' },
  renamed: { word: 'renamed', icon: mdiHelpCircle, token: 'warning' },
  recoloured: { word: 'recoloured', icon: mdiHelpCircle, token: 'warning' },
  redescribed: { word: 'redescribed', icon: mdiHelpCircle, token: 'warning' },
}

export const LEVELS: Record<string, Look> = {
  critical: { word: 'critical', icon: mdiClockAlert, token: 'error', filled: true },
  error: { word: 'error', icon: mdiCloseCircle, token: 'error' },
  warning: { word: 'warning', icon: mdiSpeedometerSlow, token: 'warning' },
}

/** Find the look of a run's status; an unknown value is shown raw, with a question mark. */
export function lookOf(status: string, wait?: string | null, failure?: string | null): Look {
  if (status === 'waiting' && wait) return WAITS[wait] ?? unknown
  if (status === 'failed' && failure === 'timeout') return TIMED_OUT
  if (status === 'failed' && failure) return FAILED_CLASS
  return STATUSES[status] ?? unknown
}

const unknown: Look = { word: null, icon: mdiHelpCircle, token: 'neutral' }

/** Find a look in one of the other families. */
export function lookIn(family: Record<string, Look>, value: string): Look {
  return family[value] ?? unknown
}
