// Keys at the staff desk, loaded by staff pages only. One letter each, so they can be turned off (WCAG 2.1.4: the page then says
// so to this script), rest while somebody writes, and are never on where there is only touch. Nothing is sent by a letter alone: those that send only move to their button.
const PLACES = '[data-card], .pv-queue tbody a[href]'
const VERDICTS = { a: 'accept', e: 'edit', r: 'reject', q: 'ask' }
const BUTTONS = new Set(['b', 'f', 't'])

const possible = () => window.matchMedia('(any-pointer: fine)').matches
const shown = (each) => each.getClientRects().length > 0

function writing(target) {
  return target.isContentEditable || target.matches('textarea, select, input:not([type=radio], [type=checkbox], [type=submit], [type=button])')
}

function step(by) {
  const places = [...document.querySelectorAll(PLACES)].filter(shown)
  const at = places.findIndex((each) => each === document.activeElement || each.contains(document.activeElement))
  const next = at < 0 ? (by > 0 ? 0 : places.length - 1) : at + by
  const place = places[Math.min(Math.max(next, 0), places.length - 1)]
  if (place) { place.focus({ preventScroll: true }); place.scrollIntoView({ block: 'start' }) }
}

function decide(verdict) {
  const card = document.activeElement.closest('[data-card]') ?? [...document.querySelectorAll('[data-card]')].filter(shown)[0]
  const radio = card?.querySelector(`input[type=radio][value=${verdict}]`)
  if (!radio) return
  radio.click()
  const box = document.getElementById(radio.getAttribute('aria-controls') ?? '')
  ;(box?.querySelector('input:not([type=hidden]), textarea') ?? card).focus()
}

function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || writing(event.target)) return
  if (document.querySelector('dialog[open]')) return
  const key = event.key
  if (key === 'j' || key === 'k') step(key === 'j' ? 1 : -1)
  else if (key === '?') document.querySelector('a[data-keys]')?.click()
  else if (VERDICTS[key]) decide(VERDICTS[key])
  else if (BUTTONS.has(key)) document.querySelector(`[data-key="${key}"]`)?.focus()
  else return
  event.preventDefault()
}

if (!('keysOff' in document.body.dataset) && possible()) {
  document.body.classList.add('pv-keys-on')
  document.addEventListener('keydown', press)
}
