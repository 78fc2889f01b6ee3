import { describe, expect, test } from 'vitest'
import { MOST, ROW, ScaledScroll, type Box } from '@/shared/ui/logs/scroll'
import { thrown } from '@/shared/ui/logs/touch'

/** A scroll box that rounds and clamps like a browser. */
class FakeBox implements Box {
  clientHeight = 600
  height = 0
  private at = 0
  get scrollTop(): number {
    return this.at
  }
  set scrollTop(value: number) {
    this.at = Math.round(Math.max(0, Math.min(value, this.height - this.clientHeight)))
  }
}

function scroll(lines: number): { box: FakeBox; it: ScaledScroll } {
  const box = new FakeBox()
  const it = new ScaledScroll(box, lines)
  box.height = it.spacer
  return { box, it }
}

describe('scaled scroll', () => {
  test('a short log is not scaled', () => {
    const { it } = scroll(1000)
    expect(it.ratio).toBe(1)
    it.setTop(2000)
    expect(it.window()).toEqual({ first: 92, count: 46, shift: 92 * ROW })
  })
  test('the spacer never exceeds what every browser lays out', () => {
    const { it } = scroll(1_000_000)
    expect(it.spacer).toBe(MOST)
    expect(it.ratio).toBeGreaterThan(2.49)
  })
  test.each([10, 1_000, 399_999, 400_001, 1_000_000, 5_000_000])(
    'the last of %i lines is reached by jump and by bar',
    (lines) => {
      const { box, it } = scroll(lines)
      it.setTop(Number.MAX_SAFE_INTEGER)
      let shown = it.window()
      expect(shown.first + shown.count).toBe(lines)
      it.setTop(0)
      box.scrollTop = box.height
      it.scrolled()
      shown = it.window()
      expect(shown.first + shown.count).toBe(lines)
      expect(it.atEnd).toBe(true)
    },
  )
  test('400 random jumps show their line at its place', () => {
    const { box, it } = scroll(1_000_000)
    let seed = 7
    for (let n = 0; n < 400; n++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      const line = seed % 1_000_000
      it.show(line)
      const { first, count, shift } = it.window()
      expect(line).toBeGreaterThanOrEqual(first)
      expect(line).toBeLessThan(first + count)
      const y = shift + (line - first) * ROW - box.scrollTop
      expect(y).toBeGreaterThanOrEqual(0)
      expect(y).toBeLessThanOrEqual(600 - ROW)
    }
  })
  test('an echo of our own move is not taken for the person', () => {
    const { it } = scroll(1_000_000)
    it.setTop(123_456)
    const before = it.top
    expect(it.scrolled()).toBe(false)
    expect(it.top).toBe(before)
  })
  test('at most 120 rows are painted', () => {
    const { box, it } = scroll(1000)
    box.clientHeight = 9000
    expect(it.window().count).toBe(120)
  })
  test('the wheel moves by pixels, lines or pages', () => {
    const { it } = scroll(1000)
    expect([it.wheel(3, 0), it.wheel(3, 1), it.wheel(1, 2)]).toEqual([3, 60, 600])
  })
})

describe('a throw by finger', () => {
  test('goes on in its direction, slower and slower, and comes to rest', () => {
    let [at, speed, frames] = [0, -2, 0]
    while (speed !== 0 && frames < 500) {
      const next = thrown(speed, 16)
      expect(Math.abs(next.speed)).toBeLessThan(Math.abs(speed))
      expect(next.by).toBeLessThan(0)
      ;[at, speed, frames] = [at + next.by, next.speed, frames + 1]
    }
    expect(frames).toBeLessThan(150)
    expect(at).toBeGreaterThan(-2 * 325)
    expect(at).toBeLessThan(-1.9 * 325)
  })
})
