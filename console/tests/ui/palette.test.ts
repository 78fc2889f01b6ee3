import { afterEach, expect, test, vi } from 'vitest'
import { directly, runNumber, runOf } from '@/app/palette'
import { serve } from '../acts/fakes'

afterEach(() => vi.unstubAllGlobals())

test.each([
  ['run-0042', 'palette.number'],
  ['42', 'palette.number'],
  ['RUN-42', 'palette.number'],
  ['#42', 'palette.issue'],
  ['acme/shop#42', 'palette.lineage'],
  ['01890000-0000-7000-8000-000000000042', 'palette.openRun'],
])('%s opens something', (text, key) => expect(directly(text).map((way) => way.key)).toEqual([key]))

test.each(['', '0', 'run-', 'acme', 'acme/shop', '#', '4 2', 'run-0000'])(
  '%j opens nothing by itself',
  (text) => expect(directly(text)).toEqual([]),
)

test('a run is found by its number, and one that is not there is nothing', async () => {
  const sent = serve(({ query }) => ({ items: query.includes('number=42') ? [{ id: 'r42' }] : [] }))
  expect(await runOf(42)).toBe('r42')
  expect(await runOf(7)).toBeUndefined()
  expect(sent[0]!.path).toBe('/api/v1/runs')
  expect([runNumber(7), runNumber(12345)]).toEqual(['run-0007', 'run-12345'])
})
