// How log lines are shown, their times and their height: the person's choice, kept with the account.
import { computed } from 'vue'
import { usePerson } from '../../api/person'
import { COMFORTABLE, ROW } from './scroll'
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

/** The height of a line in pixels. */
export function useLogHeight() {
  const person = usePerson()
  return computed<number>({
    get: () => (person.preferences().logRows === 'comfortable' ? COMFORTABLE : ROW),
    set: (height) => void person.prefer({ logRows: height > ROW ? 'comfortable' : 'dense' }),
  })
}
