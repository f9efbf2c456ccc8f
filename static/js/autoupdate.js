// Asks the server sooner: when an answer changes, the same page is posted and only the questions that became different are
// replaced. The server decides everything; if anything goes wrong the page stays as it is, with its Update button.
const running = new WeakSet() // forms with a request under way
const waiting = new WeakSet() // forms that changed meanwhile: asked again when the answer is there, with the version it brought
const held = new WeakMap() // form -> the button pressed while a request was under way: pressed again after it (it may be another element by then)
const served = new WeakMap() // question element -> its HTML as the server sent it

let startComponents = () => {}
let pressed = null // a promise while a finger, a mouse button or the space bar is down

// A question that is replaced between press and release would lose the click: nothing is touched in between.
function watchPresses() {
  const ends = { pointerdown: ['pointerup', 'pointercancel'], keydown: ['keyup', 'blur'] }
  for (const [begin, over] of Object.entries(ends)) {
    document.addEventListener(begin, (event) => {
      if (event.type === 'keydown' && event.key !== ' ') return
      pressed = new Promise((resolve) => {
        const end = () => setTimeout(() => { pressed = null; resolve() }) // the click comes after the release
        for (const name of over) window.addEventListener(name, end, { capture: true, once: true })
        setTimeout(end, 1500) // a release outside of the window is never heard of
      })
    }, true)
  }
}

// What a question looks like apart from what the person typed in it: equal skeletons need no replacing.
function skeleton(html) {
  const copy = new DOMParser().parseFromString(html, 'text/html').body
  for (const input of copy.querySelectorAll('input:not([readonly])')) {
    input.removeAttribute('checked')
    if (!['radio', 'checkbox'].includes(input.type)) input.removeAttribute('value')
  }
  copy.querySelectorAll('textarea:not([readonly])').forEach((area) => { area.textContent = '' })
  copy.querySelectorAll('option').forEach((option) => option.removeAttribute('selected'))
  return copy.firstElementChild.outerHTML
}

// Most questions come as they came before, letter for letter; only the others are looked at closely.
const alike = (before, html) => before === html || (before !== undefined && skeleton(before) === skeleton(html))

// A question or a part of the form stands in a box; a part, and a question that leads on to others, has places for boxes in it.
const boxes = (place) => [...place.children]
const placesIn = (box) => [...box.querySelectorAll('.pv-boxes')].filter((place) => place.closest('.pv-question') === box)
const boxesIn = (box) => placesIn(box).flatMap(boxes)

// What is a box's own: all of it but the boxes in it.
const own = (box) => boxesIn(box).reduce((html, part) => html.replace(part.outerHTML, ''), box.outerHTML).replace(/ data-as="\w+"/g, '')

function remember(box) {
  served.set(box, own(box))
  boxesIn(box).forEach(remember)
}

// What was typed while the request was on its way is put back into questions that were replaced.
function putBack(form, before, now) {
  for (const name of new Set([...before.keys(), ...now.keys()])) {
    const values = now.getAll(name)
    if (JSON.stringify(before.getAll(name)) === JSON.stringify(values)) continue
    const controls = [...form.elements].filter((control) => control.name === name && control.type !== 'hidden')
    for (const [index, control] of controls.entries()) {
      if (['radio', 'checkbox'].includes(control.type)) control.checked = values.includes(control.value)
      else if (control.type !== 'file' && !control.readOnly) control.value = values[index] ?? ''
    }
  }
}

function holdPlace() {
  const active = document.activeElement
  const place = { id: active?.id, top: active?.getBoundingClientRect().top, start: null, end: null }
  try {
    place.start = active.selectionStart
    place.end = active.selectionEnd
  } catch { /* not a text field */ }
  return place
}

function returnTo(place) {
  const element = place.id && document.getElementById(place.id)
  if (!element) return
  if (document.activeElement !== element) element.focus({ preventScroll: true })
  try {
    if (place.start !== null) element.setSelectionRange(place.start, place.end)
  } catch { /* not a text field */ }
  window.scrollBy(0, element.getBoundingClientRect().top - place.top)
}

// What is asked; what was worked out or is wrong: changes of these are told to who does not see them.
const asked = (box) => new Set([...box.querySelectorAll('[name]:not([type=hidden]), .pv-display')].map((part) => part.name || part.id))
const worked = (box) => new Map([...box.querySelectorAll('.pv-known[id], .nhsuk-error-message')].map((part) =>
  [part.id, part.textContent.trim().split(/\s*\n\s*/).join(': ')]))

function news(form, box, were, had) {
  const are = asked(box)
  const moved = are.size !== were.size || [...are].some((name) => !were.has(name))
  const said = [...worked(box)].filter(([id, words]) => had.get(id) !== words).map(([, words]) => words)
  return [...(moved ? [form.dataset.changed] : []), ...said].join('. ')
}

// Makes the live boxes of one place those of the answer, touching only what differs: what stays keeps its focus and its caret.
function merge(place, wanted) {
  const live = new Map(boxes(place).map((box) => [box.id, box]))
  const ids = new Set(wanted.map((box) => box.id))
  for (const [id, box] of live) if (!ids.has(id)) box.remove()
  let next = place.firstElementChild
  for (const box of wanted) {
    const [old, mark] = [live.get(box.id), box.dataset.as]
    const same = old && mark && mark === old.dataset.as // then it may come empty
    const html = same || own(box)
    const stays = same || (old && alike(served.get(old), html))
    if (old === next) next = old.nextElementSibling
    else if (stays) place.insertBefore(old, next)
    if (!stays) {
      const here = document.importNode(box, true)
      remember(here)
      if (old) old.remove()
      place.insertBefore(here, next)
      queueMicrotask(() => { if (here.isConnected) startComponents(here) })
    } else if (!same) {
      served.set(old, html)
      if (mark) old.dataset.as = mark
      placesIn(old).forEach((inside, at) => merge(inside, boxes(placesIn(box)[at])))
    }
  }
}

function sync(form, page) {
  for (const field of page.querySelectorAll('form input[type=hidden][name]')) {
    const ours = form.querySelector(`input[type=hidden][name="${CSS.escape(field.name)}"]`)
    if (ours) ours.value = field.value
  }
}

// Which boxes stand on the page as they were drawn: the server leaves them empty.
const marks = (form) => [...form.querySelectorAll('[data-as]')].slice(0, 500).map((box) => box.dataset.as).join() || '1'

// The short way of sending it, where no file is in it: every byte counts on a phone.
function body(data, button) {
  const pressed = button?.name ? [[button.name, button.value]] : []
  const fields = [...data, ...pressed].filter(([, value]) => typeof value === 'string' || value.size)
  if (fields.every(([, value]) => typeof value === 'string')) return new URLSearchParams(fields)
  const whole = new FormData()
  for (const [name, value] of fields) whole.append(name, value)
  return whole
}

async function update(form) {
  const button = form.querySelector('[data-update]')
  if (running.has(form)) return waiting.add(form)
  running.add(form)
  const before = new FormData(form)
  try {
    const answer = await fetch(form.getAttribute('action') || location.href, {
      method: 'POST', body: body(before, button), credentials: 'same-origin', headers: { 'X-Fragment': marks(form) },
    })
    if (answer.redirected || ![200, 422].includes(answer.status)) throw new Error('no page')
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    await pressed
    const fresh = page.getElementById('questions')
    if (!fresh || form.dataset.sent) throw new Error('no page')
    const box = form.querySelector('#questions')
    const place = holdPlace()
    const now = new FormData(form)
    const [were, had] = [asked(box), worked(box)]
    merge(box, boxes(fresh))
    sync(form, page)
    putBack(form, before, now)
    returnTo(place)
    announce(news(form, box, were, had))
  } catch {
    if (navigator.onLine) giveUp(form, button)
    else window.addEventListener('online', () => update(form), { once: true })
  } finally {
    running.delete(form)
    const pressed = held.get(form)
    if (pressed !== undefined) {
      held.delete(form)
      form.querySelector(`[name=${pressed.name}][value="${pressed.value}"]`)?.click()
    } else if (waiting.delete(form) && form.hasAttribute('data-autoupdate')) update(form)
  }
}

function giveUp(form, button) {
  form.removeAttribute('data-autoupdate')
  if (button) button.hidden = false
}

function announce(words) {
  const place = document.getElementById('announce')
  if (!place || !words) return
  place.textContent = ''
  setTimeout(() => { place.textContent = words }, 100)
}

export function startAutoUpdate(components) {
  startComponents = components
  watchPresses()
  for (const form of document.querySelectorAll('form[data-autoupdate]')) {
    const box = form.querySelector('#questions')
    if (!box) continue
    boxes(box).forEach(remember)
    const button = form.querySelector('[data-update]')
    if (button) button.hidden = true
    form.addEventListener('submit', (event) => {
      if (!running.has(form)) return
      event.preventDefault()
      held.set(form, event.submitter)
    })
    form.addEventListener('change', () => { if (form.hasAttribute('data-autoupdate')) update(form) })
  }
}
