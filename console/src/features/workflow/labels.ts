// The labels of a repository by class, and what a synchronisation would do. Pure.
import type { CatalogueLabel, Label } from '@/shared/api/types'

/** Return the classes in the order of the catalogue, each with its labels. */
export function byClass(labels: readonly CatalogueLabel[]): { name: string; labels: CatalogueLabel[] }[] {
  const names = [...new Set(labels.map((label) => label.label_class))]
  return names.map((name) => ({ name, labels: labels.filter((label) => label.label_class === name) }))
}

export const ACTIONS = ['create', 'rename', 'update'] as const

/** Return what would be written: the texts by kind of change; nothing is ever deleted. */
export function changesOf(labels: readonly Label[]): { action: (typeof ACTIONS)[number]; texts: string[] }[] {
  return ACTIONS.map((action) => ({
    action,
    texts: labels
      .filter((label) => label.action === action)
      .map((label) => (action === 'rename' ? `${label.known_text ?? '?'} → ${label.text}` : label.text)),
  })).filter(({ texts }) => texts.length > 0)
}
