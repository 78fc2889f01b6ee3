// What approving does, as one sentence: the server sends a code with parameters.
import { useI18n } from 'vue-i18n'
import type { Approval } from '@/shared/api/types'

export function useEffectWords() {
  const { t, te } = useI18n()
  return ({ effect }: Pick<Approval, 'effect'>): string => {
    const key = `approvals.effect.${effect.code.replaceAll('.', '_')}`
    return te(key) ? t(key, effect.params) : [effect.code, ...Object.values(effect.params)].join(' · ')
  }
}
