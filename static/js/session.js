// Warns before the session ends. Only the button in the dialog prolongs it: no poll, no typing, no autosave does.
import { keepAll } from './autoupdate.js'

const KEEP_AT = 10 // seconds before the end: what is typed is saved while the session still stands

function remaining(words, seconds) {
  const unit = seconds >= 60 ? 'minute' : 'second'
  const count = seconds >= 60 ? Math.ceil(seconds / 60) : Math.max(0, Math.ceil(seconds / 15) * 15)
  return words[`${unit}${count === 1 ? 'One' : 'Many'}`].replace('{n}', String(count))
}

export function startSession() {
  const dialog = document.querySelector('dialog[data-session]')
  if (!dialog?.showModal) return
  const words = dialog.dataset
  const warn = Number(words.warn)
  const left = dialog.querySelector('[data-session-left]')
  let end, kept

  function restart(seconds) {
    end = Date.now() + seconds * 1000
    kept = false
    if (dialog.open) dialog.close()
  }

  async function extend(event) {
    event.preventDefault()
    try {
      const answer = await fetch(words.extend, {
        method: 'POST', credentials: 'same-origin', redirect: 'error', headers: { 'X-CSRFToken': words.token, 'X-Fragment': '1' },
      })
      if (!answer.ok) throw new Error(String(answer.status))
      restart(Number(answer.headers.get('X-Session-Left')) || Number(words.left))
    } catch {
      location.assign(words.ended)
    }
  }

  function tick() {
    const seconds = (end - Date.now()) / 1000
    if (seconds <= 0) return location.assign(words.ended)
    if (seconds <= KEEP_AT && !kept) {
      kept = true
      keepAll()
    }
    if (seconds > warn) return
    const text = remaining(words, seconds)
    if (left.textContent !== text) left.textContent = text
    if (!dialog.open) dialog.showModal()
  }

  restart(Number(words.left))
  dialog.querySelector('form[method=dialog]').addEventListener('submit', extend)
  dialog.addEventListener('cancel', extend)
  document.addEventListener('visibilitychange', tick)
  setInterval(tick, 1000)
}
