// Words for the codes of problems (docs/problems.md): an area of its own, loaded with the first problem that is shown.
import { ref } from 'vue'
import { loadArea, registerArea } from '../i18n'

const AREA = 'problems'
registerArea(AREA, { en: () => import('./i18n/en.json'), ru: () => import('./i18n/ru.json') })

/** Whether the words are here; whoever asked for a key before asks again then. */
const here = ref(false)

export async function loadProblems(): Promise<void> {
  await loadArea(AREA)
  here.value = true
}

/** Return the key of a code's words. Read where it is shown, so that words that come late are shown as well. */
export function problemKey(code: string): string {
  void here.value
  return `problem.${code.replaceAll('.', '_')}`
}
