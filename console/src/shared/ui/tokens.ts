// The colours of both themes (console.md §7.4, §9.3). A unit test measures their contrast.
export const TOKENS = {
  light: {
    neutral: '#4a5561',
    info: '#1a4fc4',
    warning: '#8a4b00',
    success: '#0e6b33',
    error: '#a3221a',
    primary: '#0b5a83',
    secondary: '#4a5561',
    surface: '#ffffff',
    background: '#f6f8fa',
  },
  dark: {
    neutral: '#b4bfca',
    info: '#8ab4ff',
    warning: '#f2b14b',
    success: '#5bd18b',
    error: '#ff8a80',
    primary: '#6cb8e6',
    secondary: '#b4bfca',
    surface: '#212121',
    background: '#121212',
  },
} as const

/** Normal and bright ANSI colours in the order black, red, green, yellow, blue, magenta, cyan, white: light, dark. */
export const ANSI: readonly (readonly [string, string])[] = [
  ['#1b1f24', '#9aa5b1'],
  ['#a3221a', '#ff8a80'],
  ['#0e6b33', '#5bd18b'],
  ['#7a4b00', '#f2b14b'],
  ['#1a4fc4', '#8ab4ff'],
  ['#8a1f8a', '#e29cf0'],
  ['#00616d', '#63d7e6'],
  ['#57606a', '#e6edf3'],
  ['#59636e', '#a8b3be'],
  ['#c2271d', '#ffaaa3'],
  ['#127a3a', '#85e0a9'],
  ['#8a5a00', '#ffd180'],
  ['#2560d8', '#b0ccff'],
  ['#a02ba0', '#f0bdf9'],
  ['#00707e', '#9be8f2'],
  ['#4a5561', '#ffffff'],
]

/** Relative contrast of two `#rrggbb` colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

function luminance(color: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
  const [r, g, b] = parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  ) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
