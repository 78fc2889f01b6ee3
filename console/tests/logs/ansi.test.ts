import { describe, expect, test } from 'vitest'
import { pieces, plain } from '@/shared/ui/logs/ansi'

const ESC = '\u001b'

describe('ansi', () => {
  test('never makes markup of text', () => {
    expect(pieces('<img src=x onerror=alert(1)>')).toEqual([
      { text: '<img src=x onerror=alert(1)>', classes: '' },
    ])
    expect(pieces(`${ESC}[31m<b>&amp;</b>${ESC}[0m`)).toEqual([{ text: '<b>&amp;</b>', classes: 'sw-fg-1' }])
  })
  test.each([
    [`${ESC}[32mok${ESC}[0m done`, ['ok|sw-fg-2', ' done|']],
    [`${ESC}[1;91mbad`, ['bad|sw-fg-9 sw-bold']],
    [`${ESC}[44mx`, ['x|sw-bg-4']],
    [`${ESC}[38;5;196mred`, ['red|sw-fg-1']],
    [`${ESC}[38;2;90;220;90mgreen`, ['green|sw-fg-2']],
    [`${ESC}[38;5;244mgrey`, ['grey|sw-fg-8']],
    [`${ESC}[4munder`, ['under|sw-underline']],
    [`${ESC}[7mturned`, ['turned|sw-inverse']],
  ])('%j', (line, expected) => {
    expect(pieces(line).map((piece) => `${piece.text}|${piece.classes}`)).toEqual(expected)
  })
  test('drops titles, character sets and cursor moves; a link keeps its label', () => {
    expect(plain(`${ESC}]0;title\u0007${ESC}(Ba${ESC}[2Kb`)).toBe('ab')
    expect(plain(`${ESC}]8;;https://x.test${ESC}\\label${ESC}]8;;${ESC}\\`)).toBe('label')
  })
  test('shows the last state of progress', () => {
    expect(plain('10%\r50%\r100%')).toBe('100%')
    expect(plain('done\r')).toBe('done')
  })
})
