// Only paths of this console are followed after signing in: never another host.

/** Return `value` when it is a path below `/` of this origin, else `/`. */
export function localPath(value: unknown): string {
  const text = Array.isArray(value) ? value[0] : value
  if (typeof text !== 'string' || !text.startsWith('/') || text.startsWith('//') || text.includes('\\'))
    return '/'
  return text.startsWith('/login') ? '/' : text
}
