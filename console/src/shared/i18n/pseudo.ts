// The pseudo-locale `xx`: words 40 % longer in brackets, to see what does not fit. Not offered to anybody.
export type Words = { [key: string]: string | Words }

const PLACEHOLDER = /(\{\w+\}|@[.:]\S+)/
const LONGER = 0.4

/** Make every text longer; placeholders and the bars between plural forms stay. */
export function pseudo(words: Words): Words {
  return Object.fromEntries(
    Object.entries(words).map(([key, value]) => [
      key,
      typeof value === 'string' ? value.split(' | ').map(longer).join(' | ') : pseudo(value),
    ]),
  )
}

function longer(text: string): string {
  const letters = text.split(PLACEHOLDER).filter((part) => !PLACEHOLDER.test(part))
  const more = Math.ceil(letters.join('').length * LONGER)
  return `[${text}${' ~ea~ea'.repeat(Math.ceil(more / 7)).slice(0, more)}]`
}
