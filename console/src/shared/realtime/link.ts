// The tab's one connection: the mux over the browser's socket, its state as a ref.
import { shallowRef, type ShallowRef } from 'vue'
import { send } from '../api/client'
import { Mux, type Outside, type SocketLike, type State } from './mux'
import type { PollAnswer, PollForm } from './protocol'

const HIDDEN_PAUSE = 1000

function open(): SocketLike {
  const url = new URL('/api/v1/realtime', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(url, 'stagewright.v1')
  socket.binaryType = 'arraybuffer'
  return socket as SocketLike
}

const browser: Outside = {
  open,
  poll: (form: PollForm) => send<PollAnswer>('POST', '/api/v1/realtime/poll', form),
  now: () => Date.now(),
  random: () => Math.random(),
  nextFrame: (flush) =>
    void (document.hidden ? setTimeout(flush, HIDDEN_PAUSE) : requestAnimationFrame(flush)),
}

export const mux = new Mux(browser)
export const link: ShallowRef<State> = shallowRef(mux.state)
mux.onState = (state) => (link.value = state)

/** Start the connection and follow the browser's network and visibility. */
export function startLink(): void {
  mux.start()
  window.addEventListener('online', () => mux.online(true))
  window.addEventListener('offline', () => mux.online(false))
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) mux.reconnect()
  })
}

/** The present time by the server's clock. */
export function serverNow(): number {
  return Date.now() + mux.state.skew
}
