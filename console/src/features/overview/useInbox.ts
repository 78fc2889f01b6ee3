// What needs me, or what I put off: read anew when anything that may concern me changes; putting off can be taken back.
import { computed, onScopeDispose, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { api, ok } from '@/shared/api/client'
import { usePerson } from '@/shared/api/person'
import type { InboxItem, Page } from '@/shared/api/types'
import { useFeed } from '@/shared/realtime/useFeed'
import { useLiveData } from '@/shared/realtime/useLive'
import { say } from '@/shared/ui/toast'
import { shownItems } from './inbox'

const SOON = 300

/** Follow my inbox; `snoozed` asks for what I put off instead. */
export function useInbox(snoozed: MaybeRefOrGetter<boolean>) {
  const { t } = useI18n()
  const person = usePerson()
  let timer: ReturnType<typeof setTimeout> | undefined
  /** What stands here follows from many rows: any change that may concern me reads the page again, soon and once. */
  function later(): void {
    clearTimeout(timer)
    timer = setTimeout(() => void live.reload(), SOON)
  }
  onScopeDispose(() => clearTimeout(timer))
  const live = useLiveData<Page<InboxItem>>({
    topic: () => (person.me ? `inbox:${person.me.id}` : null),
    params: () => (toValue(snoozed) ? 'snoozed' : null),
    load: (signal) =>
      ok(
        api.GET('/api/v1/inbox', {
          params: { query: { limit: 100, ...(toValue(snoozed) ? { snoozed: true } : {}) } },
          signal,
        }),
      ),
    apply: (held, frames) => {
      if (frames.length > 0) later()
      return held
    },
  })
  for (const topic of ['waits', 'incidents']) useFeed(topic, { frames: later })
  const items = computed(() => shownItems(live.data.value?.items ?? [], toValue(snoozed)))
  const put = (id: string, snoozed_until: string | null) =>
    live.put((held) => ({
      ...held,
      items: held.items.map((item) => (item.id === id ? { ...item, snoozed_until } : item)),
    }))
  const write = (item: InboxItem, until: string | null) =>
    ok(
      api.POST('/api/v1/inbox/{item}:snooze', {
        params: { path: { item: item.id }, header: { 'Idempotency-Key': crypto.randomUUID() } },
        body: { until },
      }),
    )
  /** Show at once what was chosen; what the server refuses goes back, with a note. */
  async function set(item: InboxItem, until: string | null, before: string | null): Promise<boolean> {
    put(item.id, until)
    try {
      await write(item, until)
      return true
    } catch {
      put(item.id, before)
      say(t('inbox.notSaved'))
      return false
    }
  }
  /** Put an item off, or with null take it back; both can be undone for a moment. */
  async function snooze(item: InboxItem, until: string | null): Promise<void> {
    const before = item.snoozed_until
    if (!(await set(item, until, before))) return
    say(t(until === null ? 'inbox.back' : 'inbox.snoozed'), () => void set(item, before, until))
  }
  return { live, items, snooze }
}
