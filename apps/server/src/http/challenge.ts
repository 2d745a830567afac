import type { Problem } from '#http';
import { ScopeError } from '#identity';

/**
 * What an answer says about how to authenticate (RFC 6750, section 3, and RFC 9728, section 5.1): where nothing was shown,
 * no error.
 */
export function challengeOf(problem: Problem, error: unknown, publicUrl: string): Readonly<Record<string, string>> {
  if (problem.status === 401) {
    const parts = ['realm="placet"', `resource_metadata="${publicUrl}/.well-known/oauth-protected-resource"`];
    if (problem.code === 'credentials_invalid') parts.push('error="invalid_token"');
    return { 'WWW-Authenticate': `Bearer ${parts.join(', ')}` };
  }
  if (!(error instanceof ScopeError)) return {};
  return { 'WWW-Authenticate': `Bearer realm="placet", error="insufficient_scope", scope="${error.scope}"` };
}
