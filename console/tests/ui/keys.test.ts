import { describe, expect, test } from 'vitest'
import { effectScope } from 'vue'
import { keyName, setLetters, useHotkeys } from '@/shared/ui/useHotkeys'

const base = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false }

describe('keys', () => {
  test.each([
    [{ key: 'k', code: 'KeyK', ctrlKey: true }, 'mod+k'],
    [{ key: 'л', code: 'KeyK', ctrlKey: true }, 'mod+k'],
    [{ key: 'k', code: 'KeyV', metaKey: true }, 'mod+k'],
    [{ key: 'п', code: 'KeyG' }, 'g'],
    [{ key: 'G', code: 'KeyG', shiftKey: true }, 'shift+g'],
    [{ key: 'П', code: 'KeyG', shiftKey: true }, 'shift+g'],
    [{ key: '.', code: 'Slash' }, '/'],
    [{ key: ',', code: 'Slash', shiftKey: true }, '?'],
    [{ key: '/', code: 'Digit7', shiftKey: true }, '/'],
    [{ key: 'F8', code: 'F8' }, 'f8'],
  ])('%j is %s on any layout', (event, name) => {
    expect(keyName({ ...base, ...event })).toBe(name)
  })

  function listen(actions: Record<string, () => void>) {
    const scope = effectScope()
    scope.run(() => useHotkeys(actions))
    return scope
  }
  const press = (key: string, code: string, target: EventTarget = document.body) =>
    target.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true }))

  test('g then i is one command, on a Russian layout too', () => {
    let went = 0
    const scope = listen({ 'g i': () => void went++ })
    press('g', 'KeyG')
    press('i', 'KeyI')
    press('п', 'KeyG')
    press('ш', 'KeyI')
    press('i', 'KeyI')
    expect(went).toBe(2)
    scope.stop()
  })
  test('single letters are off in fields, and can be switched off', () => {
    let went = 0
    const scope = listen({ f: () => void went++ })
    const field = document.body.appendChild(document.createElement('input'))
    press('f', 'KeyF', field)
    setLetters(false)
    press('f', 'KeyF')
    setLetters(true)
    press('f', 'KeyF')
    expect(went).toBe(1)
    scope.stop()
  })
})
