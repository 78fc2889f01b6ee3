// One way to print a figure beside its budget (console.md §10.1), and to say whether the command fails by it.
const QUIET = 1.5
const load = Number(process.env.BENCH_LOAD ?? 0)

/** Print one line: name, figure, goal, verdict. `goal` is [budget, bracket]; without a bracket nothing fails. */
function line(name, value, unit, [budget, bracket] = [], verdict = '') {
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 2 : Number.isInteger(value) ? 0 : 1
  const goal = budget === undefined ? '' : `of ${budget}${bracket === undefined ? '' : ` (${bracket})`}`
  console.log(
    `${name.padEnd(58)} ${value.toFixed(digits).padStart(8)} ${unit.padEnd(6)} ${goal.padEnd(12)} ${verdict}`.trimEnd(),
  )
}

/** `least`: the goal is a floor, as frames a second are. */
function judge(value, [budget, bracket], least) {
  const misses = (limit) => limit !== undefined && (least ? value < limit : value > limit)
  if (misses(bracket)) return 'FAIL'
  return misses(budget) ? 'over budget' : 'ok'
}

/** Bytes and CPU: what does not depend on the rest of the machine. Above its bracket the command fails. */
export function gate(name, value, unit, goal) {
  const verdict = judge(value, goal, false)
  if (verdict === 'FAIL') process.exitCode = 1
  line(name, value, unit, goal, verdict)
}

/** A wall time: it warns, and on a busy machine it is only printed. */
export function wall(name, value, unit, goal, { least = false } = {}) {
  const verdict = judge(value, goal, least)
  const quiet = load <= QUIET
  line(
    name,
    value,
    unit,
    goal,
    quiet ? verdict.replace('FAIL', 'far over budget') : 'not judged: busy machine',
  )
}

/** What must be so whatever the machine does. */
export function must(name, held, told = '') {
  if (!held) process.exitCode = 1
  console.log(`${name.padEnd(58)} ${held ? 'yes' : 'NO'}  ${told}`.trimEnd())
}

/** A figure without a goal. */
export const note = (name, value, unit) => line(name, value, unit)

/** The value below which `share` of all lie. */
export function quantile(values, share) {
  const ordered = [...values].sort((one, other) => one - other)
  return ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] ?? Number.NaN
}
