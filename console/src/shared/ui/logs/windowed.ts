// A log larger than memory should hold: the index stays, bytes are given back and read again by their place.
import { LogStore, type Chunk } from './store'

export const KEEP = 32_000_000
type Fetch = (from: number, to: number, signal?: AbortSignal) => Promise<Uint8Array>

export class WindowedLog extends LogStore {
  private recent: Chunk[] = []
  private loading = new Set<Chunk>()

  constructor(
    private fetch: Fetch,
    private keep = KEEP,
  ) {
    super()
  }

  /** Bytes held now. */
  get held(): number {
    return this.recent.reduce((sum, chunk) => sum + (chunk.data?.length ?? 0), 0)
  }

  protected override read(chunk: Chunk): Uint8Array | null {
    if (chunk.data === null) void this.load(chunk)
    else this.touch(chunk)
    return chunk.data
  }

  protected override async fetchFor(chunk: Chunk, signal?: AbortSignal): Promise<Uint8Array | null> {
    return signal?.aborted ? null : this.fetch(chunk.at, chunk.at + chunk.used, signal)
  }

  protected override grew(chunk: Chunk): void {
    super.grew(chunk)
    this.touch(chunk)
  }

  private async load(chunk: Chunk): Promise<void> {
    if (this.loading.has(chunk)) return
    this.loading.add(chunk)
    try {
      chunk.data = await this.fetch(chunk.at, chunk.at + chunk.used)
      this.touch(chunk)
    } finally {
      this.loading.delete(chunk)
      this.onChange()
    }
  }

  /** Note the use of a chunk and give the oldest back. The last one is being filled and stays. */
  private touch(chunk: Chunk): void {
    this.recent = [...this.recent.filter((item) => item !== chunk), chunk]
    let held = this.held
    const last = this.chunks[this.chunks.length - 1]
    const oldest = this.recent.slice()
    for (const old of oldest) {
      if (held <= this.keep) return
      if (old === chunk || old === last) continue
      held -= old.data?.length ?? 0
      old.data = null
      this.recent = this.recent.filter((item) => item !== old)
    }
  }
}
