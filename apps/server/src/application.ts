import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Decisions } from '#decision';
import { AppModule } from './app.module.js';
import type { ServiceParts } from './assemble.js';
import { PageTokens } from './fronts/authzen/page-tokens.js';
import { authzenRoutes } from './fronts/authzen/routes.js';
import { FrontDoor } from './fronts/front-door.js';
import { mcpRoutes } from './fronts/mcp/routes.js';
import { requestRoutes } from './fronts/requests/routes.js';
import { declaredRoutes } from './http/declared-rights.js';
import { requestBody, requestContext } from './http/request-body.js';
import { mountOAuth } from './oauth/assemble.js';
import type { OAuthMount } from './oauth/mount.js';
import { documentApi } from './openapi/document.js';

/** The HTTP application, not listening yet; the decision routes and the authorization servers stand before it. */
export async function createApp(
  parts: ServiceParts,
  decisions: Decisions,
): Promise<{ app: NestExpressApplication; door: FrontDoor; mount: OAuthMount }> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.of(parts), {
    bodyParser: false,
    logger: false,
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestContext(parts.metrics), requestBody);
  const { address, consents, keyCheck, snapshots, store } = parts;
  const routes = [
    ...mcpRoutes(decisions, address),
    ...authzenRoutes(decisions, new PageTokens(keyCheck.pepper), address),
    ...requestRoutes({ decisions, snapshots, store, address, ...consents }),
  ];
  documentApi(app, declaredRoutes(app));
  await app.init();
  const door = new FrontDoor(routes, parts.gate, parts.addresses, parts.uses, parts.log, parts.metrics, parts.address);
  const mount = mountOAuth(parts);
  const server = app.getHttpServer();
  const [nest] = server.listeners('request') as Parameters<FrontDoor['before']>;
  server.removeAllListeners('request').on('request', door.before(mount.before(nest)));
  return { app, door, mount };
}
