// The session's figures as rows of tables. Pure. What nobody counted is a dash, not zero.
import type { RunSession } from './useRun'

type Acts = NonNullable<RunSession['acts']>
type Models = RunSession['models']
type Write = (value: number) => string
type Cost = (micros: number | null) => string

/** Tools by name, the most used first, as the server sorts them. */
export function toolRows(acts: Acts | null, write: Write) {
  return (acts?.tools ?? []).map((tool) => ({
    tool: tool.name,
    calls: write(tool.calls),
    failedCalls: tool.failed ? write(tool.failed) : '—',
  }))
}

/** What each model used. */
export function modelRows(models: Models, write: Write, cost: Cost) {
  return models.map((item) => ({
    model: item.model,
    calls: write(item.calls),
    tokensIn: write(item.tokens_in),
    tokensCached: write(item.tokens_cached),
    tokensOut: write(item.tokens_out),
    cost: cost(item.cost_micros),
  }))
}

/** What each attempt did and used. */
export function attemptRows(attempts: RunSession['attempts'], write: Write) {
  return attempts.map(({ attempt, acts, models }) => {
    const sum = (name: 'tokens_in' | 'tokens_out') => models.reduce((total, item) => total + item[name], 0)
    return {
      attempt: String(attempt),
      turns: acts ? write(acts.turns) : '—',
      commands: acts ? write(acts.commands.calls) : '—',
      toolCalls: acts ? write(acts.tools.reduce((total, tool) => total + tool.calls, 0)) : '—',
      tokensIn: models.length ? write(sum('tokens_in')) : '—',
      tokensOut: models.length ? write(sum('tokens_out')) : '—',
    }
  })
}

/** Lines added and removed over all files of which they are known. */
export function lineTotals(files: NonNullable<RunSession['files']>): { added: number; removed: number } {
  const known = files.filter((file) => file.added !== null)
  return {
    added: known.reduce((total, file) => total + (file.added ?? 0), 0),
    removed: known.reduce((total, file) => total + (file.removed ?? 0), 0),
  }
}
