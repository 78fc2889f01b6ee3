// Which plural form a number takes. vue-i18n's own rule is wrong for Russian (console.md §7.10).
const RUSSIAN = new Intl.PluralRules('ru')
const FORMS = ['one', 'few', 'many']

/** Russian: forms `one | few | many`, or `zero | one | few | many`; fractions take `few`. */
export function russianPlural(choice: number, forms: number): number {
  const hasZero = forms === 4
  if (hasZero && choice === 0) return 0
  const rule = RUSSIAN.select(Math.abs(choice))
  const place = rule === 'other' ? 1 : FORMS.indexOf(rule)
  return Math.min(forms - 1, place + (hasZero ? 1 : 0))
}
