// Whether new rows would push what is being read (console.md §7.3).
const SCROLLED = 200

/** Say whether the page is scrolled, or the focus is in a list. */
export function reading(): boolean {
  return window.scrollY > SCROLLED || Boolean(document.activeElement?.closest('.sw-table tbody'))
}
