// Panning a scaled log by finger: one to one, then with the finger's speed, which decays.
const DECAY_MS = 325
const STILL = 0.02
/** A finger that rested this long before it left throws nothing. */
const REST_MS = 80

/** Return how far a throw at `speed` (px/ms) goes in `ms`, and the speed that is left. */
export function thrown(speed: number, ms: number): { by: number; speed: number } {
  const left = speed * Math.exp(-ms / DECAY_MS)
  return { by: (speed - left) * DECAY_MS, speed: Math.abs(left) < STILL ? 0 : left }
}

/** Call `move` with the pixels to go while the finger that `start` tells of moves, and after it has left. */
export function pan(start: PointerEvent, move: (by: number) => void): void {
  let [y, at, speed] = [start.clientY, start.timeStamp, 0]
  function moved(event: PointerEvent): void {
    const [by, ms] = [y - event.clientY, Math.max(1, event.timeStamp - at)]
    ;[y, at, speed] = [event.clientY, event.timeStamp, by / ms]
    move(by)
  }
  function glide(before: number): void {
    requestAnimationFrame((now) => {
      const next = thrown(speed, now - before)
      speed = next.speed
      move(next.by)
      if (speed !== 0) glide(now)
    })
  }
  function left(event: PointerEvent): void {
    done()
    if (event.timeStamp - at < REST_MS && speed !== 0) glide(performance.now())
  }
  function done(): void {
    removeEventListener('pointermove', moved)
    removeEventListener('pointerup', left)
    removeEventListener('pointercancel', done)
  }
  /** A new touch stops the throw. */
  const halt = () => (speed = 0)
  addEventListener('pointerdown', halt, { once: true, capture: true })
  addEventListener('pointermove', moved)
  addEventListener('pointerup', left)
  addEventListener('pointercancel', done)
}
