// Short notes about the person's own action, with Undo where the action can be taken back.
import { shallowRef } from 'vue'

export interface Toast {
  text: string
  undo?: () => void
}

export const toast = shallowRef<Toast | null>(null)

/** Show `text`; `undo` is offered for eight seconds. */
export function say(text: string, undo?: () => void): void {
  toast.value = undo ? { text, undo } : { text }
}
