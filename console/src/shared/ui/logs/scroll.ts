// Scrolling through more pixels than a browser can lay out: the spacer is at most 8 M px, the offset is ours.
export const ROW = 20
export const COMFORTABLE = 24
export const MOST = 8_000_000
const OVERSCAN = 8
const MOST_ROWS = 120

/** The scroll box as the algorithm needs it. */
export interface Box {
  scrollTop: number
  clientHeight: number
}

export interface Window {
  first: number
  count: number
  /** `translateY` of the rows. */
  shift: number
}

export class ScaledScroll {
  /** The virtual offset, 0 … full − view. */
  top = 0
  private own = -1

  constructor(
    private box: Box,
    public lines = 0,
    public row = ROW,
    private most = MOST,
  ) {}

  get full(): number {
    return this.lines * this.row
  }

  get spacer(): number {
    return Math.min(this.full, this.most)
  }

  get view(): number {
    return this.box.clientHeight
  }

  get ratio(): number {
    const [over, real] = [this.full - this.view, this.spacer - this.view]
    return over > 0 && real > 0 ? over / real : 1
  }

  get atEnd(): boolean {
    return this.top >= this.full - this.view - this.row
  }

  /** What to paint now, by the offset that the browser reports. */
  window(): Window {
    const first = Math.max(0, Math.floor(this.top / this.row) - OVERSCAN)
    const count = Math.min(MOST_ROWS, Math.ceil(this.view / this.row) + 2 * OVERSCAN, this.lines - first)
    return { first, count: Math.max(0, count), shift: this.box.scrollTop - (this.top - first * this.row) }
  }

  /** Go to a virtual offset: keys, jumps, follow. */
  setTop(top: number): void {
    this.top = Math.max(0, Math.min(top, this.full - this.view))
    this.box.scrollTop = this.top / this.ratio
    this.own = this.box.scrollTop
  }

  /** Take a `scroll` event; says whether the person moved. */
  scrolled(): boolean {
    if (Math.abs(this.box.scrollTop - this.own) < 1) return false
    this.own = this.box.scrollTop
    this.top = Math.max(0, Math.min(this.own * this.ratio, this.full - this.view))
    return true
  }

  /** Show line `i` about a third below the top. */
  show(i: number): void {
    this.setTop(i * this.row - Math.floor(this.view / 3))
  }

  /** Pixels that a wheel event means. */
  wheel(delta: number, mode: number): number {
    return mode === 1 ? delta * this.row : mode === 2 ? delta * this.view : delta
  }
}
