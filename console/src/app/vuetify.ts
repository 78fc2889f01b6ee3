// Vuetify with our colours and only SVG icons; its style element carries the page's nonce.
import { createVuetify } from 'vuetify'
import { aliases, mdi } from 'vuetify/iconsets/mdi-svg'
import 'vuetify/styles/core'
import 'vuetify/styles/utilities'
import { TOKENS } from '@/shared/ui/tokens'

const variables = (emphasis: number) => ({
  'medium-emphasis-opacity': emphasis,
  'high-emphasis-opacity': 0.95,
})

function colors(theme: 'light' | 'dark') {
  const on = theme === 'light' ? '#ffffff' : '#121212'
  return {
    ...TOKENS[theme],
    'on-primary': on,
    'on-error': on,
    'on-warning': on,
    'on-success': on,
    'on-info': on,
  }
}

/** Make the component library. */
export function makeVuetify() {
  const cspNonce = document.querySelector<HTMLElement>('meta[property=csp-nonce]')?.nonce
  return createVuetify({
    icons: { defaultSet: 'mdi', aliases, sets: { mdi } },
    defaults: {
      VBtn: { rounded: 'md' },
      VTextField: { density: 'comfortable' },
      VSelect: { density: 'comfortable' },
    },
    theme: {
      cspNonce,
      defaultTheme: 'system',
      themes: {
        light: { dark: false, colors: colors('light'), variables: variables(0.78) },
        dark: { dark: true, colors: colors('dark'), variables: variables(0.82) },
      },
    },
  })
}
