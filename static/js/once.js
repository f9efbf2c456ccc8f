// A form is sent once: a second click does nothing. The server refuses doubles anyway; this spares the person the wait.
const FORGET_AFTER = 8000 // the network failed, or the answer was a download: let them try again

function release(form) {
  delete form.dataset.sent
  for (const button of form.querySelectorAll('[data-held]')) {
    button.removeAttribute('aria-disabled')
    button.removeAttribute('data-held')
  }
}

export function startOnce() {
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (event.defaultPrevented || form.hasAttribute('data-again')) return
    if (form.dataset.sent) return event.preventDefault()
    form.dataset.sent = 'yes'
    for (const button of form.querySelectorAll('button:not([type=button]), input[type=submit]')) {
      button.setAttribute('aria-disabled', 'true')
      button.setAttribute('data-held', '')
    }
    setTimeout(release, FORGET_AFTER, form)
  })
  window.addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach(release))
}
