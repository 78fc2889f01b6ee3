// What the server permits a person to do with a row (access.md 3). Pure.
import type { AllowedAction } from '../api/types'

/** Say whether `verb` is permitted; a row that a frame brought may not say yet. */
export function permits(row: { allowed_actions?: AllowedAction[] } | undefined, verb: string): boolean {
  return row?.allowed_actions?.some((action) => action.verb === verb && action.mode === 'allow') ?? false
}
