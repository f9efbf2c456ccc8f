// Passkeys: asks the server what to sign, lets the browser sign it, and posts the answer as an ordinary form.
// Without this script the forms stay hidden and password and code do the same.
const ready = 'PublicKeyCredential' in window && window.isSecureContext

function bytes(text) {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

function text(buffer) {
  if (!buffer) return null
  const plain = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

function opened(asked) {
  const list = (each) => ({ ...each, id: bytes(each.id) })
  const options = { ...asked, challenge: bytes(asked.challenge) }
  if (asked.user) options.user = { ...asked.user, id: bytes(asked.user.id) }
  for (const name of ['excludeCredentials', 'allowCredentials']) {
    if (asked[name]) options[name] = asked[name].map(list)
  }
  return options
}

function said(credential) {
  const { response } = credential
  const told = { clientDataJSON: text(response.clientDataJSON) }
  for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (response[name]) told[name] = text(response[name])
  }
  if (response.getTransports) told.transports = response.getTransports()
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response: told, clientExtensionResults: {},
    authenticatorAttachment: credential.authenticatorAttachment,
  })
}

async function use(form) {
  const answer = await fetch(form.dataset.ask, {
    method: 'POST', credentials: 'same-origin', redirect: 'error', headers: { 'X-CSRFToken': form.elements.csrf_token.value },
  })
  if (!answer.ok) throw new Error(String(answer.status))
  const publicKey = opened(await answer.json())
  const found = await navigator.credentials[form.dataset.passkey]({ publicKey })
  form.elements.credential.value = said(found)
  form.submit()
}

export function startPasskeys() {
  if (!ready) return
  for (const each of document.querySelectorAll('[data-passkey-missing]')) each.hidden = true
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false
    form.addEventListener('submit', async (event) => {
      event.preventDefault()
      const place = form.querySelector('[data-passkey-said]')
      place.textContent = ''
      try {
        await use(form)
      } catch {
        place.textContent = form.dataset.failed
      }
    })
  }
}
