// A next step as its link names it, and what its preview means in words. Pure.
import type { LocationQuery } from 'vue-router'
import type { StepForm, StepPreview } from '@/shared/api/types'

const ACTIONS = ['issue_stage_transition', 'pull_request_label_add'] as const
/** What every link has; the others may be missing. */
export const NEEDED = ['repository_full_name', 'issue_number', 'action_kind', 'target_label'] as const

/** Read the link: the step, or the names of the parameters that are missing or no such thing. */
export function stepOf(query: LocationQuery): { form: StepForm } | { wrong: string[] } {
  const text = (name: string) => {
    const value = query[name]
    return (Array.isArray(value) ? value[0] : value) ?? ''
  }
  const number = (name: string) => (/^[1-9]\d{0,8}$/.test(text(name)) ? Number(text(name)) : null)
  const action = ACTIONS.find((one) => one === text('action_kind'))
  const issue = number('issue_number')
  const given: Record<(typeof NEEDED)[number], unknown> = {
    repository_full_name: text('repository_full_name').includes('/'),
    issue_number: issue,
    action_kind: action,
    target_label: text('target_label'),
  }
  const wrong = NEEDED.filter((name) => !given[name])
  if (wrong.length > 0 || action === undefined || issue === null) return { wrong }
  return {
    form: {
      repository_full_name: text('repository_full_name'),
      issue_number: issue,
      pull_request_number: number('pull_request_number'),
      action_kind: action,
      target_label: text('target_label'),
      display_variant: text('display_variant'),
      source_run_id: text('source_run_id') || null,
    },
  }
}

export interface DiffLabel {
  text: string
  mark?: 'added' | 'removed'
}

/** Return the labels of the thread with what the step does to each: taken off, put on, left. */
export function diffOf({ removed_labels, added_labels, final_labels }: StepPreview): DiffLabel[] {
  const kept = final_labels.filter((text) => !added_labels.includes(text))
  return [
    ...removed_labels.map((text) => ({ text, mark: 'removed' as const })),
    ...added_labels.map((text) => ({ text, mark: 'added' as const })),
    ...kept.map((text) => ({ text })),
  ]
}

/** Return the labels that stood on the thread when the step was previewed. */
function liveOf({ removed_labels, added_labels, final_labels }: StepPreview): string[] {
  return [...removed_labels, ...final_labels.filter((text) => !added_labels.includes(text))]
}

/** Return what others put on and took off between two previews. */
export function changedBetween(before: StepPreview, after: StepPreview): DiffLabel[] {
  const [old, now] = [liveOf(before), liveOf(after)]
  return [
    ...old.filter((text) => !now.includes(text)).map((text) => ({ text, mark: 'removed' as const })),
    ...now.filter((text) => !old.includes(text)).map((text) => ({ text, mark: 'added' as const })),
  ]
}
