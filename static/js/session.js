// Warns before the session ends. Only the button in the dialog prolongs it: no poll, no typing, no autosave does.
// At the end the page leaves the screen; what was typed is sent after the end, and the server keeps it for the same person.
const GRACE = 3 // seconds after the end, so that the server agrees that it is over

function remaining(words, seconds) {
  const unit = seconds >= 60 ? 'minute' : 'second'
  const count = unit === 'minute' ? Math.ceil(seconds / 60) : Math.max(0, Math.ceil(seconds / 15) * 15)
  return words[`${unit}${count === 1 ? 'One' : 'Many'}`].replace('{n}', String(count))
}

function typed(form) {
  return new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === 'string')).toString()
}

export function startSession() {
  const dialog = document.querySelector('dialog[data-session]')
  if (!dialog?.showModal) return
  const words = dialog.dataset
  const left = dialog.querySelector('[data-session-left]')
  const form = document.querySelector('main form[data-autoupdate], main form[data-keep]')
  const untouched = form && typed(form)
  const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('session') : null
  let end
  let over = false

  function restart(seconds) {
    end = Date.now() + seconds * 1000
    if (dialog.open) dialog.close()
  }

  function leave() {
    if (over) return
    over = true
    if (form && typed(form) !== untouched) form.submit()
    else location.assign(`${words.ended}&next=${encodeURIComponent(location.pathname)}`)
  }

  async function extend(event) {
    event.preventDefault()
    try {
      const answer = await fetch(words.extend, {
        method: 'POST', credentials: 'same-origin', redirect: 'error', headers: { 'X-CSRFToken': words.token },
      })
      if (!answer.ok) throw new Error(String(answer.status))
      const seconds = Number(answer.headers.get('X-Session-Left')) || Number(words.left)
      restart(seconds)
      tabs?.postMessage(seconds)
    } catch {
      leave()
    }
  }

  function tick() {
    const seconds = (end - Date.now()) / 1000
    if (seconds <= -GRACE) return leave()
    if (seconds > Number(words.warn)) return
    const text = remaining(words, seconds)
    if (left.textContent !== text) left.textContent = text
    if (!dialog.open) dialog.showModal()
  }

  restart(Number(words.left))
  tabs?.postMessage(Number(words.left))
  tabs?.addEventListener('message', (event) => restart(event.data))
  dialog.querySelector('form[method=dialog]').addEventListener('submit', extend)
  dialog.addEventListener('cancel', extend)
  document.addEventListener('visibilitychange', tick)
  setInterval(tick, 1000)
}
