import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { AppModule, type Parts } from '../../apps/server/src/app.module.js';
import { declaredRoutes, UndeclaredRightError } from '../../apps/server/src/http/declared-rights.js';
import { objectsText, Public, RIGHT, type Right } from '../../apps/server/src/http/rights.js';

const appOf = (module: unknown) => NestFactory.create(module as never, { logger: false, abortOnError: false });

const routes = declaredRoutes(await appOf(AppModule.of({} as Parts)));
const named = routes.map((route) => [route.name, route] as const);

/** What is only asked, with more to say than fits into a query. */
const ASKED_BY_POST = [
  'DocumentsController.validate',
  'AccessController.subjects',
  'AccessController.capabilities',
  'TenantsController.export',
  'AccessReviewController.review',
  'MappingsController.try',
];

interface Operation {
  readonly 'x-placet-right'?: string | { action: string; on: string | string[] };
}
const { paths } = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);

/** A right in the words of docs/administration.md. */
function words(right: Right): string {
  if (right === 'connector') return 'the token of a connector';
  if (typeof right === 'string') return right === 'public' ? 'nothing' : 'any key';
  return `\`${right.action}\` on ${objectsText(right.on)}`;
}

/** Pages by which people come and go, and what is their own: each proves in its own way who may. */
const OWN = [
  'OwnSessionsController.end',
  'OwnRequestsController.answer',
  'OwnRequestsController.takeBack',
  'ApprovalsController.answer',
  'ApprovalsController.takeBack',
  'OwnConsentsController.revokeAll',
  'OwnConsentsController.revoke',
  'DelegationsController.delegate',
  'DelegationsController.end',
  'TasksController.cancel',
  'AnsweringController.answer',
  'AnsweringController.takeBack',
  'PasswordController.prove',
  'SignInController.find',
  'SignInTestController.begin',
  'SignInController.finishPosted',
  'SignOutController.signOut',
  'SignOutController.backchannelLogout',
];

describe('routes', () => {
  it('are there', () => {
    expect(routes.length).toBeGreaterThan(15);
  });

  it.each(named)(
    '%s changes nothing by a right to read, and nothing for everybody',
    (_name, { name, method, right }) => {
      if (['GET', 'HEAD'].includes(method) || [...ASKED_BY_POST, ...OWN].includes(name)) return;
      // Changes within one Issuer is all that such a token is for.
      if (right === 'connector') return;
      expect(typeof right === 'object' && !['read', 'explain', 'test', 'export'].includes(right.action)).toBe(true);
    },
  );

  it.each(named)('%s checks every body, query and path parameter by a schema', (name, { controller, handler }) => {
    const parameters = (Reflect.getMetadata('__routeArguments__', controller, handler) ?? {}) as Record<
      string,
      { schema?: unknown }
    >;
    // 3: body, 4: query, 5: path parameters (Nest's RouteParamtypes).
    for (const [key, parameter] of Object.entries(parameters)) {
      if (/^[345]:/.test(key)) expect(parameter.schema, `${name} parameter ${key}`).toBeDefined();
    }
  });

  it.each(
    routes.filter(({ right }) => right !== 'public').map((route) => [`${route.method} ${route.path}`, route] as const),
  )('%s stands in docs/administration.md with its right', (_name, { method, path, right }) => {
    const rows = readFileSync('docs/administration.md', 'utf8')
      .split('\n')
      .map((row) => row.replace(/ +/g, ' '));
    expect(rows).toContain(`| \`${method} ${path}\` | ${words(right)} |`);
  });

  it.each(operations)('%s says in openapi.json what right it needs', (_name, operation) => {
    expect(operation['x-placet-right']).toBeDefined();
  });
});

describe('a route that declares no right', () => {
  class Beside {
    // Nothing above it, either.
    beside(): string {
      return 'open to whom?';
    }
  }
  Get('beside')(Beside.prototype, 'beside', Object.getOwnPropertyDescriptor(Beside.prototype, 'beside')!);
  Controller('beside')(Beside);

  class Inherited extends Beside {}
  Controller('inherited')(Inherited);

  const moduleOf = (...controllers: unknown[]) => {
    class Odd {}
    Module({ controllers: controllers as never[] })(Odd);
    return Odd;
  };

  it.each([
    ['of its own', Beside],
    ['that it inherits', Inherited],
  ])('does not start, be it one %s', async (_what, controller) => {
    const app = await appOf(moduleOf(controller));
    expect(() => declaredRoutes(app)).toThrow(UndeclaredRightError);
    expect(() => declaredRoutes(app)).toThrow(`${controller.name}.beside declares no right`);
  });

  it('starts once its controller declares one', async () => {
    Public()(Beside);
    expect(declaredRoutes(await appOf(moduleOf(Beside)))).toMatchObject([{ path: '/beside/beside', right: 'public' }]);
    Reflect.deleteMetadata(RIGHT, Beside);
  });
});
