import { RequestMethod, type INestApplicationContext, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { RIGHT, type Right } from './rights.js';

/** A route of Nest's, and the right that it declares. */
export interface DeclaredRoute {
  /** As in DocumentsController.list. */
  readonly name: string;
  readonly controller: Type;
  readonly handler: string;
  readonly method: string;
  /** As in /api/v1/documents/{kind}. */
  readonly path: string;
  readonly right: Right;
}

/** A route that declares no right: nobody has said who may call it, so the service does not start. */
export class UndeclaredRightError extends Error {
  override readonly name = 'UndeclaredRightError';

  constructor(route: string) {
    super(`${route} declares no right: write @Requires(...), @AnyCaller(), @Connector() or @Public() on it`);
  }
}

/** Every route of an application. Throws UndeclaredRightError. */
export function declaredRoutes(app: INestApplicationContext): DeclaredRoute[] {
  const modules = [...app.get(ModulesContainer, { strict: false }).values()];
  const controllers = modules.flatMap(({ controllers: own }) => [...own.values()].map(({ metatype }) => metatype));
  return controllers.flatMap((controller) => routesOf(controller as Type));
}

function routesOf(controller: Type): DeclaredRoute[] {
  return handlersOf(controller).flatMap((handler) => {
    const work = (controller.prototype as Record<string, object>)[handler]!;
    const name = `${controller.name}.${handler}`;
    const right = (Reflect.getMetadata(RIGHT, work) ?? Reflect.getMetadata(RIGHT, controller)) as Right | undefined;
    if (right === undefined) throw new UndeclaredRightError(name);
    const method = RequestMethod[Reflect.getMetadata('method', work) as number]!;
    const paths = listOf(Reflect.getMetadata('path', controller)).flatMap((start) =>
      listOf(Reflect.getMetadata('path', work)).map((end) => pathOf(start, end)),
    );
    return paths.map((path) => ({ name, controller, handler, method, path, right }));
  });
}

/** Methods that Nest calls for a request, those of classes above among them. */
function handlersOf(controller: Type): string[] {
  const names = new Set<string>();
  for (let at = controller.prototype as object; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const { value } = Object.getOwnPropertyDescriptor(at, name)! as { value?: unknown };
      if (typeof value === 'function' && Reflect.hasMetadata('method', value)) names.add(name);
    }
  }
  return [...names];
}

const listOf = (paths: unknown): string[] => (Array.isArray(paths) ? (paths as string[]) : [paths as string]);

const pathOf = (start: string, end: string): string =>
  `/${[start, end]
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .map((part) => part.replace(/^:(.*)$/, '{$1}'))
    .join('/')}`;
