// Starts the design system's components and our own enhancements. Every page works without any of this.
import {
  Button, CharacterCount, Checkboxes, ErrorSummary, NotificationBanner, PasswordInput, Radios, SkipLink, createAll,
} from 'nhsuk-frontend'
import { startAutoUpdate } from './autoupdate.js'
import { startOnce } from './once.js'
import { startPasskeys } from './passkeys.js'
import { startPrint } from './print.js'
import { startSession } from './session.js'

const COMPONENTS = [Button, CharacterCount, Checkboxes, ErrorSummary, NotificationBanner, PasswordInput, Radios, SkipLink]

export function startComponents(scope) {
  for (const component of COMPONENTS) createAll(component, undefined, scope)
}

document.body.classList.add('js-enabled', 'nhsuk-frontend-supported')
startAutoUpdate(startComponents)
startComponents(document)
startOnce()
startPasskeys()
startPrint()
startSession()
