import { SetMetadata } from '@nestjs/common';
import { Refusal } from '#http';
import { DOCUMENT_OBJECTS, may, mayOnSome, type AdministratorPrincipal } from '#identity';
import type { AdministrationAction, AdministrationObject } from '#policy';

/** What a route needs of whoever calls it: nothing, any good credential, the token of a connector, or the right to do something. */
export type Right = 'public' | 'any-caller' | 'connector' | NeededRight;

export interface NeededRight {
  readonly action: AdministrationAction;
  readonly on: readonly AdministrationObject[];
  /**
   * Whether it is looked at for each thing by its name, in the route itself (`permit`); before, only that there may be
   * something at all. Otherwise it must be a right to all of them.
   */
  readonly each: boolean;
  /** Whether a host may ask, too, about itself. */
  readonly hosts: boolean;
}

export const RIGHT = 'placet:right';

/** Declares that a route, or every route of a controller, is open to everybody. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(RIGHT, 'public' satisfies Right);

/** Declares that a route takes every good credential, of a host or of an administrator. */
export const AnyCaller = (): ClassDecorator & MethodDecorator => SetMetadata(RIGHT, 'any-caller' satisfies Right);

/** Declares that a route, or every route of a controller, takes the token of a connector (SCIM), and nothing else. */
export const Connector = (): ClassDecorator & MethodDecorator => SetMetadata(RIGHT, 'connector' satisfies Right);

/** Declares the right that a route, or every route of a controller, needs. The service does not start with one without. */
export const Requires = (
  action: AdministrationAction,
  on: AdministrationObject | readonly AdministrationObject[],
  { each = false, hosts = false }: Partial<Pick<NeededRight, 'each' | 'hosts'>> = {},
): ClassDecorator & MethodDecorator =>
  SetMetadata(RIGHT, { action, on: typeof on === 'string' ? [on] : on, each, hosts } satisfies Right);

/** Throws Refusal where an administrator may not do what a route needs. */
export function checkRight({ name, ability }: AdministratorPrincipal, { action, on, each }: NeededRight): void {
  const holds = each
    ? on.some((object) => mayOnSome(ability, action, object))
    : on.every((object) => may(ability, action, object));
  if (!holds) throw forbidden(name, action, objectsText(on));
}

/** Throws Refusal where an administrator may not do something to a thing of a name. */
export function permit(
  { name: who, ability }: AdministratorPrincipal,
  action: AdministrationAction,
  object: AdministrationObject,
  name: string,
): void {
  if (!may(ability, action, object, name)) throw forbidden(who, action, `the ${object} '${name}'`);
}

/** The refusal of something that none of an administrator's roles allows. */
export const forbidden = (who: string, action: AdministrationAction, what: string): Refusal =>
  new Refusal('forbidden', `'${who}' has no role that lets it ${action} ${what} (docs/administration.md)`);

/** The objects of a right, to be read. */
export const objectsText = (on: readonly AdministrationObject[]): string =>
  on === DOCUMENT_OBJECTS ? 'documents' : on.join(', ');

/** A right as the description of the API has it. */
export function rightBody(right: Right): string | object {
  if (typeof right === 'string') return right;
  const { action, on, each, hosts } = right;
  return {
    action,
    on: on === DOCUMENT_OBJECTS ? 'documents' : on,
    ...(each ? { each } : {}),
    ...(hosts ? { hosts } : {}),
  };
}
