import { describe, expect, test } from 'vitest'
import { loaded, newer } from '@/shared/realtime/merge'
import { noRows, withFrames, withoutLeft, withPage } from '@/shared/realtime/rows'
import { frame } from './fakes'

interface Row {
  id: string
  version: number
  status: string
  mine?: string
}
const row = (id: string, version: number, status = 'running'): Row => ({ id, version, status })
const key = (item: Row) => item.id
const any = () => true
const page = (...items: Row[]) => ({ items, next_cursor: null, as_of: 't' })
const change = (item: Row) =>
  frame(`${item.id}-${item.version}`, { key: item.id, version: item.version, data: { ...item } })

describe('newer', () => {
  test('the greater version wins, and personal fields are kept', () => {
    expect(newer({ ...row('1', 2), mine: 'yes' }, row('1', 3, 'failed'))).toEqual({
      ...row('1', 3, 'failed'),
      mine: 'yes',
    })
  })
  test('an equal or older version is dropped: terminal states never regress', () => {
    const held = row('1', 5, 'succeeded')
    expect(newer(held, row('1', 5, 'running'))).toBe(held)
    expect(newer(held, row('1', 4, 'running'))).toBe(held)
  })
  test('a load older than an event does not overwrite it but brings its personal fields', () => {
    expect(loaded(row('1', 7, 'failed'), { ...row('1', 6), mine: 'yes' })).toEqual({
      ...row('1', 7, 'failed'),
      mine: 'yes',
    })
  })
  test('an event older than the load is dropped after it', () => {
    const held = withPage(noRows<Row>(), page(row('1', 6)), key, new Map())
    expect(withFrames(held, [change(row('1', 5, 'queued'))], any).rows.get('1')?.status).toBe('running')
  })
})

describe('rows', () => {
  test('a load keeps what a frame since the ack brought', () => {
    const meanwhile = new Map([['1', change(row('1', 9, 'failed'))]])
    const held = withPage(noRows<Row>(), page(row('1', 8), row('2', 1)), key, meanwhile)
    expect(held.rows.get('1')?.status).toBe('failed')
  })
  test('a tombstone during a load keeps the row away', () => {
    const gone = new Map([['1', frame('9', { key: '1', version: 4, data: null })]])
    expect([...withPage(noRows<Row>(), page(row('1', 3), row('2', 1)), key, gone).rows.keys()]).toEqual(['2'])
  })
  test('a deletion removes the row', () => {
    const held = withPage(noRows<Row>(), page(row('1', 3)), key, new Map())
    expect(withFrames(held, [frame('2', { key: '1', version: 4, data: null })], any).rows.size).toBe(0)
  })
  test('an unknown row that matches is noted, one that does not is not', () => {
    const held = withPage(noRows<Row>(), page(row('1', 1)), key, new Map())
    const running = (item: Row) => item.status === 'running'
    const next = withFrames(held, [change(row('2', 1)), change(row('3', 1, 'failed'))], running)
    expect([...next.unknown]).toEqual(['2'])
    expect([...withFrames(next, [change(row('2', 2, 'failed'))], running).unknown]).toEqual([])
  })
  test('a row that stops matching stays, dimmed, until the person acts', () => {
    const held = withPage(noRows<Row>(), page(row('1', 1)), key, new Map())
    const next = withFrames(held, [change(row('1', 2, 'failed'))], (item) => item.status === 'running')
    expect([...next.left]).toEqual(['1'])
    expect(next.rows.get('1')?.status).toBe('failed')
    expect(withoutLeft(next).rows.size).toBe(0)
  })
  test('a further page stands behind the first', () => {
    const first = withPage(noRows<Row>(), { ...page(row('1', 1)), next_cursor: 'n' }, key, new Map())
    expect([...withPage(first, page(row('2', 1)), key, new Map(), true).rows.keys()]).toEqual(['1', '2'])
  })
})
