// How a script talks to tests/bench/console.py: a question is one line of JSON, its answer the next line of the input.
import { createInterface } from 'node:readline'

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** A moment of everything, to see that it works. */
export const small = process.env.BENCH_SMALL === '1'
export const url = process.env.BENCH_URL

/** Ask the stage to do `word` and wait until it has. */
export async function ask(word, wish = {}) {
  console.log(JSON.stringify({ ask: word, ...wish }))
  const { value, done } = await answers.next()
  if (done) throw new Error(`nobody answers ${word}: run this by python -m tests.bench.console`)
  return JSON.parse(value)
}

/** End the script; what is still waited for is dropped. */
export const leave = () => process.exit(process.exitCode ?? 0)
