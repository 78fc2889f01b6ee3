// Words that load late: `te` does not see them come, so what asks it also reads what this returns.
import { readonly, ref, toValue, watchEffect, type MaybeRefOrGetter, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'

/** Load words while they are `wanted`, in the language of the moment; the number grows each time they are there. */
export function useWords(
  load: (locale: string) => Promise<void>,
  wanted: MaybeRefOrGetter<boolean> = true,
): Readonly<Ref<number>> {
  const { locale } = useI18n()
  const loaded = ref(0)
  watchEffect(() => {
    if (toValue(wanted)) void load(locale.value).then(() => (loaded.value += 1))
  })
  return readonly(loaded)
}
