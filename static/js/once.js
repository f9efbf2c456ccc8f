// A form is sent once: a second click does nothing. The server refuses doubles anyway; this spares the person the wait.
// What cannot arrive (no network, files too large) is not sent: the page would be gone, with what was typed in it.
const FORGET_AFTER = 8000 // the network failed, or the answer was a download: let them try again

function release(form) {
  delete form.dataset.sent
  for (const button of form.querySelectorAll('[data-held]')) {
    button.removeAttribute('aria-disabled')
    button.removeAttribute('data-held')
  }
}

function hindrance(form, { offline, large, most }) {
  if (!navigator.onLine) return offline
  const files = [...form.querySelectorAll('[type=file]')].flatMap((input) => [...input.files])
  return files.reduce((sum, file) => sum + file.size, 0) > most ? large : ''
}

export function startOnce() {
  const stuck = document.getElementById('stuck')
  window.addEventListener('online', () => { stuck.textContent = '' })
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (event.defaultPrevented || form.hasAttribute('data-again')) return
    stuck.textContent = hindrance(form, stuck.dataset)
    if (form.dataset.sent || stuck.textContent) return event.preventDefault()
    form.dataset.sent = 'yes'
    for (const button of form.querySelectorAll('button:not([type=button]), input[type=submit]')) {
      button.setAttribute('aria-disabled', 'true')
      button.setAttribute('data-held', '')
    }
    setTimeout(release, FORGET_AFTER, form)
  })
  window.addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach(release))
}
