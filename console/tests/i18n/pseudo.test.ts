import { expect, test } from 'vitest'
import { pseudo } from '@/shared/i18n/pseudo'

test('the pseudo-locale is 40 % longer, in brackets, with its placeholders and plural forms', () => {
  const words = pseudo({ a: 'ten letters', b: { c: '{n} row | {n} rows' } }) as {
    a: string
    b: { c: string }
  }
  expect(words.a).toMatch(/^\[ten letters.{5}\]$/)
  expect(words.b.c.split(' | ')).toHaveLength(2)
  expect(words.b.c.match(/\{n\}/g)).toHaveLength(2)
})
