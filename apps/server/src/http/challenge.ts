import type { Problem } from '#http';
import { ScopeError } from '#identity';

/**
 * What an answer says about how to authenticate (RFC 6750, section 3, and RFC 9728, section 5.1): where nothing was shown,
 * no error. Of a person who has to sign in anew, how (RFC 9470, section 3).
 */
export function challengeOf(problem: Problem, error: unknown, publicUrl: string): Readonly<Record<string, string>> {
  if (problem.status === 401) {
    const parts = ['realm="placet"', `resource_metadata="${publicUrl}/.well-known/oauth-protected-resource"`];
    if (problem.code === 'credentials_invalid') parts.push('error="invalid_token"');
    if (problem.code === 'step_up_required') parts.push(...stepUp(problem));
    return { 'WWW-Authenticate': `Bearer ${parts.join(', ')}` };
  }
  if (!(error instanceof ScopeError)) return {};
  return { 'WWW-Authenticate': `Bearer realm="placet", error="insufficient_scope", scope="${error.scope}"` };
}

const stepUp = ({ acr_values: acr, max_age: maxAge }: Problem): string[] => [
  'error="insufficient_user_authentication"',
  ...(typeof acr === 'string' ? [`acr_values="${acr}"`] : []),
  ...(typeof maxAge === 'number' ? [`max_age="${maxAge}"`] : []),
];
