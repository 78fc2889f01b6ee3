// Rules that oxlint cannot know: Vue templates, accessibility, and which layer may import which.
import vue from 'eslint-plugin-vue'
import a11y from 'eslint-plugin-vuejs-accessibility'
import { readdirSync } from 'node:fs'
import typescript from 'typescript-eslint'

const FAKES = ['msw', 'msw/*', '@faker-js/*', '**/fixtures/**']
const features = readdirSync(new URL('./src/features', import.meta.url))

/** Forbid imports that match `group` in the files of one layer. */
function layer(files, ...groups) {
  const patterns = [{ group: FAKES, message: 'no fixtures in src (console.md §5)' }, ...groups]
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

const noApp = { group: ['@/app', '@/app/*'], message: 'only app may import app' }
const noFeatures = { group: ['@/features/*'], message: 'shared imports neither app nor features' }
const notUp = { group: ['../../*'], message: 'import over folders by @/' }

export default [
  { ignores: ['dist', 'node_modules', 'src/shared/api/schema.d.ts', 'test-results', 'playwright-report'] },
  ...typescript.configs.recommended,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: typescript.parser } },
    rules: {
      'vue/max-lines-per-block': ['error', { template: 150, script: 150, style: 100 }],
    },
  },
  {
    rules: {
      'max-lines': ['error', 500],
      'max-lines-per-function': ['error', 150],
      'no-undef': 'off',
      'no-unused-vars': 'off',
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/require-default-prop': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/valid-v-slot': ['error', { allowModifiers: true }],
      'vue/no-static-inline-styles': 'error',
      'vuejs-accessibility/label-has-for': 'off',
      'vuejs-accessibility/no-autofocus': 'off',
    },
  },
  { files: ['tests/**', 'e2e/**', 'bench/**', 'tools/**'], rules: { 'max-lines-per-function': 'off' } },
  layer(['src/shared/**'], noApp, noFeatures),
  layer(['src/app/**'], notUp),
  ...features.map((name) =>
    layer([`src/features/${name}/**`], noApp, {
      group: ['@/features/*', `!@/features/${name}`, '../../*'],
      message: 'a feature never imports another feature',
    }),
  ),
]
