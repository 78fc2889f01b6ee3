// Copying to the clipboard, with a note that it happened.
import { i18n } from '../i18n'
import { say } from './toast'

/** Copy `text` and say so. */
export async function copyText(text: string): Promise<void> {
  const { t } = i18n.global as unknown as { t: (key: string) => string }
  try {
    await navigator.clipboard.writeText(text)
    say(t('common.copied'))
  } catch {
    say(t('common.notCopied'))
  }
}
