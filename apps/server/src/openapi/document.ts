import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { problemSchema } from '../admin/wire.js';
import type { DeclaredRoute } from '../http/declared-rights.js';
import { rightBody } from '../http/rights.js';
import {
  evaluationAnswerSchema,
  evaluationRequestSchema,
  evaluationsAnswerSchema,
  evaluationsRequestSchema,
  filterAnswerSchema,
  filterColumnSchema,
  filterOperandSchema,
  filterRequestSchema,
  filterSchema,
  searchActionAnswerSchema,
  searchActionRequestSchema,
  searchResourceAnswerSchema,
  searchResourceRequestSchema,
  searchSubjectAnswerSchema,
  searchSubjectRequestSchema,
} from '../fronts/authzen/wire.js';
import { requestBodySchema, taskSchema } from '../fronts/requests/wire.js';
import {
  decisionAnswerSchema,
  decisionRequestSchema,
  listingAnswerSchema,
  listingRequestSchema,
} from '../fronts/mcp/wire.js';

/** A decision route as the document describes it: the front door is not part of Nest, which describes the rest. */
interface Described {
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly request: z.ZodType;
  readonly answer: z.ZodType;
  /** 200 if left out. */
  readonly status?: number;
}

const DECISION_ROUTES: readonly Described[] = [
  {
    path: '/mcp/v1/decisions',
    tag: 'mcp',
    summary: 'May this MCP message be sent?',
    request: decisionRequestSchema,
    answer: decisionAnswerSchema,
  },
  {
    path: '/mcp/v1/listings',
    tag: 'mcp',
    summary: 'Which entries of this list could be used?',
    request: listingRequestSchema,
    answer: listingAnswerSchema,
  },
  {
    path: '/access/v1/evaluation',
    tag: 'authzen',
    summary: 'Access evaluation (AuthZEN 1.0, section 6)',
    request: evaluationRequestSchema,
    answer: evaluationAnswerSchema,
  },
  {
    path: '/access/v1/evaluations',
    tag: 'authzen',
    summary: 'Access evaluations (AuthZEN 1.0, section 7)',
    request: evaluationsRequestSchema,
    answer: evaluationsAnswerSchema,
  },
  {
    path: '/access/v1/requests',
    tag: 'authzen',
    summary: 'Ask people for what a decision asked (access request and approval profile, draft 1)',
    request: requestBodySchema,
    answer: taskSchema,
    status: 201,
  },
  {
    path: '/access/v1/search/subject',
    tag: 'authzen',
    summary: 'Who could do this? (AuthZEN 1.0, section 8)',
    request: searchSubjectRequestSchema,
    answer: searchSubjectAnswerSchema,
  },
  {
    path: '/access/v1/search/resource',
    tag: 'authzen',
    summary: 'With which resources could this be done? (AuthZEN 1.0, section 8)',
    request: searchResourceRequestSchema,
    answer: searchResourceAnswerSchema,
  },
  {
    path: '/access/v1/search/action',
    tag: 'authzen',
    summary: 'Which actions could be done? (AuthZEN 1.0, section 8)',
    request: searchActionRequestSchema,
    answer: searchActionAnswerSchema,
  },
  {
    path: '/access/v1/filter',
    tag: 'authzen',
    summary: 'Which rows of a table of yours are allowed? As a tree, as SQL, as CEL',
    request: filterRequestSchema,
    answer: filterAnswerSchema,
  },
];

/** The OpenAPI document of the whole API. */
export function openApiOf(app: NestExpressApplication, routes: readonly DeclaredRoute[]): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('Placet')
    .setDescription(
      'The policy decision point for the Model Context Protocol: allow, deny or ask. A deny is a 200; whatever is not a 200 means deny.',
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'The key of a host, or of an administrator.' })
    .build();
  const document = SwaggerModule.createDocument(app, base);
  for (const route of DECISION_ROUTES) {
    document.paths[route.path] = {
      ...document.paths[route.path],
      post: operationOf(route),
    } as OpenAPIObject['paths'][string];
  }
  const parts = [problemSchema, filterSchema, filterOperandSchema, filterColumnSchema];
  const schemas = componentsOf([...parts, ...DECISION_ROUTES.flatMap(({ request, answer }) => [request, answer])]);
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...schemas } };
  addProblems(document);
  addRights(document, routes);
  return document;
}

/** Serves the document, and a page that renders it. */
export function documentApi(app: NestExpressApplication, routes: readonly DeclaredRoute[]): void {
  SwaggerModule.setup('docs', app, () => openApiOf(app, routes), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Placet API',
  });
}

function operationOf({ tag, summary, request, answer, status = 200 }: Described): object {
  return {
    operationId: idOf(request),
    tags: [tag],
    summary,
    security: [{ bearer: [] }],
    'x-placet-right': 'host',
    requestBody: { required: true, content: { 'application/json': { schema: reference(idOf(request)) } } },
    responses: { [status]: { description: '', content: { 'application/json': { schema: reference(idOf(answer)) } } } },
  };
}

const idOf = (schema: z.ZodType): string => z.globalRegistry.get(schema)!.id!;

const reference = (id: string): object => ({ $ref: `#/components/schemas/${id}` });

/** JSON Schemas of these and of what they refer to, under their names. */
function componentsOf(schemas: readonly z.ZodType[]): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const schema of schemas) registry.add(schema, { id: idOf(schema) });
  const { schemas: made } = z.toJSONSchema(registry, {
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      delete jsonSchema.$schema;
      delete jsonSchema.$id;
    },
  });
  return made;
}

/** Every operation can end in a problem. */
function addProblems(document: OpenAPIObject): void {
  const problem = {
    description: 'A problem by RFC 9457. To a host, anything but a 200 means deny.',
    content: { 'application/problem+json': { schema: reference('Problem') } },
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path as Record<string, { responses?: Record<string, unknown> }>)) {
      if (operation.responses) operation.responses.default = problem;
    }
  }
}

/** What each operation needs of whoever calls, to be read by machines. */
function addRights(document: OpenAPIObject, routes: readonly DeclaredRoute[]): void {
  for (const { method, path, right } of routes) {
    const operations = document.paths[path] as Record<string, object> | undefined;
    const operation = operations?.[method.toLowerCase()];
    if (operation) Object.assign(operation, { 'x-placet-right': rightBody(right) });
  }
}
