export {
  ATTEMPT_COOKIE,
  ATTEMPT_SECONDS,
  attemptSecrets,
  newAttempt,
  readAttempt,
  writeAttempt,
  type AttemptSecrets,
  type SignInAttempt,
} from './attempt.js';
export { dropCookie, readCookie, setCookie } from './cookies.js';
export { DEFAULT_LIMITS, endOfSession, type SessionLimits } from './limits.js';
export { returnPath } from './return-path.js';
export { isSameOrigin } from './same-origin.js';
export { formToken, newSessionId, newSessionValue, SESSION_COOKIE, sessionMac } from './session-cookie.js';
export { isStrongEnough, type StrengthDemand } from './strength.js';
