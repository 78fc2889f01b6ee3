// The way of one issue that stays true: any change of its thread, runs or pull requests reads it again, soon and once.
import { onScopeDispose, toValue, type MaybeRefOrGetter } from 'vue'
import { api, ok } from '@/shared/api/client'
import type { Lineage } from '@/shared/api/types'
import { useLiveData } from '@/shared/realtime/useLive'

const SOON = 300

export interface Thread {
  owner: string
  repo: string
  n: string
}

/** Follow the issue or pull request `thread`. */
export function useLineage(thread: MaybeRefOrGetter<Thread>) {
  let timer: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(timer))
  const live = useLiveData<Lineage>({
    topic: () => {
      const { owner, repo, n } = toValue(thread)
      return `issue:${owner}/${repo}#${n}`
    },
    params: 'lineage',
    load: (signal) => {
      const { owner, repo, n } = toValue(thread)
      const path = { owner, repository: repo, number: Number(n) }
      return ok(api.GET('/api/v1/issues/{owner}/{repository}/{number}', { params: { path }, signal }))
    },
    apply: (held, frames) => {
      if (frames.length > 0) {
        clearTimeout(timer)
        timer = setTimeout(() => void live.reload(), SOON)
      }
      return held
    },
  })
  return live
}
