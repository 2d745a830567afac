import 'reflect-metadata';
import { RequestMethod, type Type } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AppModule, type Parts } from '../../apps/server/src/app.module.js';

/** Every route of Nest's: its controller, its handler, and what its parameters are made from. */
const routes = (AppModule.of({} as Parts).controllers ?? []).flatMap((controller: Type) => {
  const prototype = controller.prototype as Record<string, (...args: unknown[]) => unknown>;
  return Object.getOwnPropertyNames(prototype)
    .filter((name) => Reflect.getMetadata('method', prototype[name]!) !== undefined)
    .map((name) => ({
      name: `${controller.name}.${name}`,
      method: RequestMethod[Reflect.getMetadata('method', prototype[name]!) as number]!,
      right: (Reflect.getMetadata('placet:right', prototype[name]!) ??
        Reflect.getMetadata('placet:right', controller)) as string | undefined,
      parameters: Object.entries(
        (Reflect.getMetadata('__routeArguments__', controller, name) ?? {}) as Record<
          string,
          { schema?: unknown; pipes?: unknown[] }
        >,
      ),
    }));
});

/** What is only asked, with more to say than fits into a query. */
const ASKED_BY_POST = ['DocumentsController.validate', 'AccessController.subjects', 'AccessController.capabilities'];

describe('routes', () => {
  it('are there', () => {
    expect(routes.length).toBeGreaterThan(15);
  });

  it.each(routes.map((route) => [route.name, route] as const))(
    '%s declares the right that it needs',
    (_name, route) => {
      expect(['public', 'any-key', 'read', 'write']).toContain(route.right);
      if (!['GET', 'HEAD'].includes(route.method) && !ASKED_BY_POST.includes(route.name))
        expect(route.right).toBe('write');
    },
  );

  it.each(routes.map((route) => [route.name, route] as const))(
    '%s checks every body, query and path parameter by a schema',
    (_name, route) => {
      // 3: body, 4: query, 5: path parameters (Nest's RouteParamtypes).
      for (const [key, parameter] of route.parameters) {
        if (/^[345]:/.test(key)) expect(parameter.schema, `${route.name} parameter ${key}`).toBeDefined();
      }
    },
  );
});
