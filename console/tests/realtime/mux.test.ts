import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Frame, LogChunk } from '@/shared/realtime/protocol'
import { Server, emptyAnswer, frame, pass } from './fakes'

let server: Server
let got: string[]

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
  server = new Server()
  got = []
})
afterEach(() => {
  server.mux.stop()
  vi.useRealTimers()
})

function follow(topic = 'runs', loads: string[] = []) {
  return server.mux.subscribe(topic, {
    frames: (list: Frame[]) => void got.push(...list.map((item) => item.id)),
    gap: () => void loads.push(topic),
  })
}

async function start(loads: string[] = []): Promise<void> {
  follow('runs', loads)
  server.mux.start()
  server.accept()
  await pass()
}

describe('cursor and replay', () => {
  test('the first hello asks for live only, and the load waits for ready', async () => {
    const loads: string[] = []
    follow('runs', loads)
    server.mux.start()
    server.socket.onopen?.()
    expect(server.socket.sent[0]).toMatchObject({ op: 'hello', v: 1, last_event_id: null, topics: ['runs'] })
    expect(loads).toEqual([])
    server.socket.ready(['runs'])
    expect(loads).toEqual(['runs'])
  })

  test('a drop in the middle of a batch loses nothing and shows nothing twice', async () => {
    await start()
    server.socket.say({ op: 'events', frames: [frame('1'), frame('2')] })
    await pass(200)
    server.drop()
    await pass(600)
    server.socket.onopen?.()
    expect(server.socket.sent[0]).toMatchObject({ last_event_id: 'c0' })
    server.socket.ready(['runs'])
    server.socket.say({ op: 'events', frames: [frame('1'), frame('2'), frame('3')], cursor: 'c1' })
    await pass(200)
    expect(got).toEqual(['1', '2', '3'])
  })

  test('the cursor moves only after the frames were handed over', async () => {
    await start()
    server.socket.say({ op: 'events', frames: [frame('1')], cursor: 'c1' })
    server.socket.say({ op: 'events', frames: [frame('2')], cursor: 'c2' })
    server.drop()
    expect(got).toEqual(['1'])
    await pass(1000)
    server.socket.onopen?.()
    expect(got).toEqual(['1', '2'])
    expect(server.socket.sent[0]).toMatchObject({ last_event_id: 'c2' })
  })

  test('a late commit that is older than frames already seen is applied', async () => {
    await start()
    server.socket.say({ op: 'events', frames: [frame('10')], cursor: 'c1' })
    await pass(200)
    server.socket.say({ op: 'events', frames: [frame('7', { key: 'r2' })], cursor: 'c2' })
    await pass(200)
    expect(got).toEqual(['10', '7'])
  })

  test('a ping moves the cursor of a quiet tab and tells the server clock', async () => {
    await start()
    server.socket.say({ op: 'ping', at: new Date(Date.now() + 90_000).toISOString(), cursor: 'c9' })
    await pass(200)
    expect(Math.round(server.mux.state.skew / 1000)).toBe(90)
    server.drop()
    await pass(600)
    server.socket.onopen?.()
    expect(server.socket.sent[0]).toMatchObject({ last_event_id: 'c9' })
  })

  test('one journal row reaches each of its topics', async () => {
    follow('run:1')
    await start()
    server.socket.say({ op: 'events', frames: [frame('1'), frame('1', { topic: 'run:1' })], cursor: 'c1' })
    await pass(200)
    expect(got).toEqual(['1', '1'])
  })
})

describe('delivery', () => {
  test('the first frame after silence comes at once, what follows once per painted frame', async () => {
    const calls: number[] = []
    server.mux.subscribe('runs', { frames: (list) => void calls.push(list.length) })
    server.mux.start()
    server.accept()
    await pass(200)
    server.socket.say({ op: 'events', frames: [frame('1')] })
    expect(calls).toEqual([1])
    for (let id = 2; id < 12; id++) server.socket.say({ op: 'events', frames: [frame(String(id))] })
    expect(calls).toEqual([1])
    await pass(16)
    expect(calls).toEqual([1, 10])
  })
})

describe('link', () => {
  test('a drop without a close frame is noticed by silence', async () => {
    await start()
    await pass(29_000)
    expect(server.sockets.length).toBe(1)
    await pass(2_000)
    expect(server.sockets.length).toBe(2)
    expect(server.sockets[0]!.closed).toBe(true)
  })

  test('pauses grow to fifteen seconds and start anew after ready', async () => {
    follow()
    server.mux.start()
    const pauses: number[] = []
    for (let n = 0; n < 7; n++) {
      const [before, count] = [Date.now(), server.sockets.length]
      server.drop()
      while (server.sockets.length === count) await pass(100)
      pauses.push(Date.now() - before)
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000])
    server.accept()
    server.drop()
    await pass(500)
    expect(server.sockets.length).toBe(9)
  })

  test('three failures start polling, and the socket that comes back ends it', async () => {
    const loads: string[] = []
    await start(loads)
    for (const pause of [500, 1000]) {
      server.drop()
      await pass(pause)
    }
    expect(server.mux.state.link).toBe('connecting')
    server.answer = () => ({ ...emptyAnswer(), frames: [frame('5')] })
    server.drop()
    await pass()
    expect(server.polls).toMatchObject([{ last_event_id: 'c0', topics: ['runs'] }])
    expect(server.mux.state.link).toBe('polling')
    expect(got).toEqual(['5'])
    expect(loads).toEqual(['runs'])
    await pass(2000)
    server.socket.onopen?.()
    expect(server.socket.sent[0]).toMatchObject({ last_event_id: 'p1' })
    server.socket.ready(['runs'])
    expect(server.mux.state.link).toBe('live')
    const polls = server.polls.length
    await pass(20_000)
    expect(server.polls.length).toBe(polls)
  })

  test('a failing poll is stale, not live', async () => {
    await start()
    server.answer = () => Promise.reject(new Error('no network'))
    for (const pause of [500, 1000, 0]) {
      server.drop()
      await pass(pause)
    }
    expect(server.mux.state.link).toBe('stale')
  })

  test.each([
    [4400, 'protocol'],
    [4401, 'signed_out'],
    [4403, 'forbidden'],
    [4426, 'outdated'],
  ])('close code %i ends the link as %s without a loop', async (code, link) => {
    await start()
    server.drop(code)
    await pass(60_000)
    expect(server.mux.state.link).toBe(link)
    expect(server.sockets.length).toBe(1)
  })

  test('too slow reconnects', async () => {
    await start()
    server.drop(4408)
    await pass(600)
    expect(server.sockets.length).toBe(2)
  })

  test('twenty events during a forced drop are each shown once within three seconds', async () => {
    await start()
    const before = Date.now()
    server.drop()
    await pass(600)
    server.socket.onopen?.()
    server.socket.ready(['runs'], { behind: 20 })
    expect(server.mux.state).toMatchObject({ link: 'catching_up', behind: 20 })
    const all = Array.from({ length: 20 }, (_, n) => frame(String(n), { key: `r${n}` }))
    server.socket.say({ op: 'events', frames: all.slice(0, 12) })
    server.socket.say({ op: 'events', frames: all.slice(8), cursor: 'c1' })
    await pass(100)
    expect(got).toEqual(all.map((item) => item.id))
    expect(Date.now() - before).toBeLessThan(3000)
    expect(server.mux.state.link).toBe('live')
  })
})

describe('topics', () => {
  test('a subscription added while offline is loaded once it is covered', async () => {
    const loads: string[] = []
    await start()
    server.drop()
    follow('run:1', loads)
    await pass(600)
    expect(loads).toEqual([])
    server.accept()
    expect(server.socket.sent[0]).toMatchObject({ topics: ['runs', 'run:1'] })
    expect(loads).toEqual(['run:1'])
  })

  test('a subscription on a live link is asked for and loaded after the ack', async () => {
    const loads: string[] = []
    await start()
    follow('run:1', loads)
    await pass()
    expect(server.socket.sent.at(-1)).toMatchObject({ op: 'sub', n: 1, topics: ['run:1'] })
    expect(loads).toEqual([])
    server.socket.say({ op: 'ack', n: 1, topics: ['run:1'], refused: [] })
    expect(loads).toEqual(['run:1'])
  })

  test('two filters on one topic share it: one subscription, each loads for itself', async () => {
    const loads: string[] = []
    await start(loads)
    follow('runs', loads)
    await pass()
    expect(server.socket.sent.length).toBe(1)
    expect(loads).toEqual(['runs', 'runs'])
    server.socket.say({ op: 'events', frames: [frame('1')] })
    expect(got).toEqual(['1', '1'])
  })

  test('a topic leaves the wire five seconds after its last follower', async () => {
    await start()
    const leave = follow('run:1')
    await pass()
    server.socket.say({ op: 'ack', n: 1, topics: ['run:1'], refused: [] })
    leave()
    await pass(4000)
    const leaveAgain = follow('run:1')
    await pass(6000)
    expect(server.socket.sent.some((message) => message.op === 'unsub')).toBe(false)
    leaveAgain()
    await pass(5000)
    expect(server.socket.sent.at(-1)).toEqual({ op: 'unsub', topics: ['run:1'] })
  })

  test('a refused topic stands beside good ones', async () => {
    const codes: string[] = []
    server.mux.subscribe('audit', { refused: (code) => void codes.push(code) })
    const loads: string[] = []
    follow('runs', loads)
    server.mux.start()
    server.socket.onopen?.()
    server.socket.ready(['runs'], { refused: [{ topic: 'audit', code: 'forbidden' }] })
    expect(codes).toEqual(['forbidden'])
    expect(loads).toEqual(['runs'])
    expect(server.mux.state.link).toBe('live')
  })

  test('resync loads the named topics and goes on from its cursor', async () => {
    const loads: string[] = []
    follow('run:1', loads)
    await start(loads)
    loads.length = 0
    server.socket.say({ op: 'resync', topics: ['runs'], reason: 'overflow', cursor: 'c7' })
    expect(loads).toEqual(['runs'])
    expect(server.mux.state.reason).toBe('overflow')
    server.drop()
    await pass(600)
    server.socket.onopen?.()
    expect(server.socket.sent[0]).toMatchObject({ last_event_id: 'c7' })
  })

  test('an error of a topic refuses that topic only', async () => {
    const codes: string[] = []
    server.mux.subscribe('run:1', { refused: (code) => void codes.push(code) })
    await start()
    server.socket.say({ op: 'error', topic: 'run:1', code: 'forbidden' })
    expect(codes).toEqual(['forbidden'])
    expect(server.mux.state.link).toBe('live')
  })
})

describe('logs', () => {
  const topic = 'run.logs:1:engine'
  const chunk = (text: string, more: Partial<LogChunk> = {}): LogChunk => ({
    topic,
    attempt: 1,
    stream_seq: 1,
    from_byte: 0,
    from_line: 0,
    bytes: new TextEncoder().encode(text),
    ...more,
  })

  test('a log tells its position in every hello and is loaded anew after a drop', async () => {
    let seq = 3
    const loads: string[] = []
    server.mux.subscribe(topic, {
      position: () => ({ attempt: 1, stream_seq: seq }),
      gap: () => void loads.push('x'),
    })
    server.mux.start()
    server.accept()
    expect(server.socket.sent[0]).toMatchObject({ logs: { [topic]: { attempt: 1, stream_seq: 3 } } })
    seq = 8
    server.drop()
    await pass(600)
    server.accept()
    expect(server.socket.sent[0]).toMatchObject({ logs: { [topic]: { attempt: 1, stream_seq: 8 } } })
    expect(loads.length).toBe(2)
  })

  test('chunks keep their bytes, also where one ends inside a character', async () => {
    const bytes: number[] = []
    server.mux.subscribe(topic, { chunk: (part) => void bytes.push(...part.bytes) })
    server.mux.start()
    server.accept()
    const text = new TextEncoder().encode('жук\n')
    server.socket.chunk({ ...chunk(''), bytes: text.subarray(0, 3) })
    server.socket.chunk({ ...chunk(''), stream_seq: 2, from_byte: 3, bytes: text.subarray(3) })
    expect(new TextDecoder().decode(Uint8Array.from(bytes))).toBe('жук\n')
  })

  test('a gap that the server reports is read by REST', async () => {
    const loads: string[] = []
    server.mux.subscribe(topic, { gap: () => void loads.push('load') })
    server.mux.start()
    server.accept()
    server.socket.say({ op: 'error', topic, code: 'log_gap' })
    expect(loads).toEqual(['load', 'load'])
  })

  test('polling tells how far a log is', async () => {
    const news: number[] = []
    server.mux.subscribe(topic, { news: (item) => void news.push(item.bytes) })
    server.mux.start()
    server.answer = () => ({ ...emptyAnswer(), logs: { [topic]: { attempt: 1, stream_seq: 4, bytes: 900 } } })
    for (const pause of [500, 1000, 0]) {
      server.drop()
      await pass(pause)
    }
    expect(news).toEqual([900])
  })
})
