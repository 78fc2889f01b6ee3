// How the console is built, served while it is developed, and tested.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import vuetify from 'vite-plugin-vuetify'
import { defineConfig } from 'vitest/config'

const gateway = process.env.CONSOLE_GATEWAY ?? 'http://127.0.0.1:8080'
const token = process.env.CONSOLE_TOKEN
const headers = token ? { authorization: `Bearer ${token}` } : undefined
const toGateway = { target: gateway, ws: true, headers }
const proxy = { '/api': toGateway, '/auth': toGateway }

export default defineConfig({
  plugins: [vue(), vuetify({ autoImport: true })],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  html: { cspNonce: '__CSP_NONCE__' },
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: { target: 'es2022', manifest: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 600 },
  server: { port: 5173, strictPort: true, proxy },
  preview: { port: 4173, strictPort: true, proxy },
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'happy-dom',
    environmentOptions: { happyDOM: { url: 'http://console.test/' } },
    server: { deps: { inline: ['vuetify'] } },
    pool: 'threads',
    isolate: false,
    testTimeout: 15_000,
  },
})
