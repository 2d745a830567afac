import { Refusal } from '#http';
import type { AdministratorPrincipal, Principal } from '#identity';

/** Whoever calls, if it is no application. Throws Refusal: an application has agreed to nothing. */
export function peopleOnly(caller: Principal): AdministratorPrincipal {
  if (caller.kind === 'administrator') return caller;
  throw new Refusal('not_an_administrator', 'an application has agreed to nothing: people have, signed in');
}
