// How the times of log lines are shown: the person's choice, kept with the account.
import { computed } from 'vue'
import { usePerson } from '../../api/person'
import { TIMES, type Times } from './times'

export function useLogTimes() {
  const person = usePerson()
  return computed<Times>({
    get: () => {
      const kept = person.preferences().logTimes
      return kept !== undefined && TIMES.includes(kept) ? kept : 'off'
    },
    set: (times) => void person.prefer({ logTimes: times }),
  })
}
