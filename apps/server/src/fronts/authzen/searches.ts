import { actionsOn, MAX_PAGE, type Search } from '#decision';
import {
  digest,
  isJsonObject,
  knownResources,
  knownSubjects,
  MCP_RESOURCE_TYPES,
  namedActions,
  own,
  type Candidate,
  type Json,
  type JsonObject,
} from '#policy';
import type { FrontRequest } from '../front-door.js';
import { invalidPage, type PagePlace, type PageTokens } from './page-tokens.js';
import { questionOf } from './questions.js';
import type {
  EvaluationRequestBody,
  PageBody,
  SearchActionRequestBody,
  SearchResourceRequestBody,
  SearchSubjectRequestBody,
} from './wire.js';

/** A search, what its results look like, and the token of the page after one of its pages. */
export interface PagedSearch {
  readonly search: Search;
  readonly result: (found: Candidate) => object;
  readonly tokenAfter: (after: Candidate | null) => string;
}

/** What the three searches differ in. */
interface Kind extends Pick<Search, 'searched' | 'candidates'> {
  /** What must stay the same from page to page. */
  readonly request: object;
  /** The evaluation that a candidate stands for; an empty id for that of none. */
  readonly evaluation: (id: string) => EvaluationRequestBody;
  readonly result: (found: Candidate) => object;
}

/** Of the subjects of a type: who could do this? */
export function subjectSearch(
  { subject: { type }, action, resource, context, page }: SearchSubjectRequestBody,
  request: FrontRequest,
  tokens: PageTokens,
): PagedSearch {
  const kind: Kind = {
    searched: 'subject',
    request: { subject: { type }, action, resource, context },
    candidates: (policies) => knownSubjects(policies, type),
    evaluation: (id) => ({ subject: { type, id }, action, resource, context }),
    result: ({ id }) => ({ type, id }),
  };
  return pagedSearch(kind, page, request, tokens);
}

/** Of the resources of a type: with which could this be done? */
export function resourceSearch(
  { subject, action, resource: { type, properties = {} }, context, page }: SearchResourceRequestBody,
  request: FrontRequest,
  tokens: PageTokens,
): PagedSearch {
  const server = own(properties, 'server');
  const named: JsonObject = server === undefined ? {} : { server };
  const evaluation: Kind['evaluation'] = (id) => ({
    subject,
    action,
    resource: { type, id, properties: named },
    context,
  });
  const only = questionOf(evaluation('')).server;
  const kind: Kind = {
    searched: 'resource',
    request: { subject, action, resource: { type, properties: named }, context },
    // The server itself has an empty id where nobody names it: then any could be meant.
    candidates: (policies) => knownResources(policies, type, only?.name === '' ? null : only),
    evaluation,
    result: ({ id, server: name }) => ({
      type,
      id,
      ...(name === null || name === id ? {} : { properties: { server: name } }),
    }),
  };
  return pagedSearch(kind, page, request, tokens);
}

/** Of the actions that policies name, and of MCP's methods for the type of the resource: which could be done? */
export function actionSearch(
  { subject, resource, context, page }: SearchActionRequestBody,
  request: FrontRequest,
  tokens: PageTokens,
): PagedSearch {
  const kind: Kind = {
    searched: 'action',
    request: { subject, resource, context },
    candidates: (policies) => actionsOn(resource.type, namedActions(policies)),
    evaluation: (name) => ({ subject, action: { name }, resource, context }),
    result: ({ id }) => ({ name: id }),
  };
  return pagedSearch(kind, page, request, tokens);
}

function pagedSearch(
  { searched, candidates, request, evaluation, result }: Kind,
  page: PageBody | undefined,
  { tenant, key }: FrontRequest,
  tokens: PageTokens,
): PagedSearch {
  const same = digestOf({ searched, tenant, key: key.id, request });
  const { after, limit } = placeOf(page, same, tokens);
  const fixed = questionOf(evaluation(''));
  const { context = {}, resource } = evaluation('');
  return {
    search: {
      searched,
      fixed,
      argumentsKnown: !MCP_RESOURCE_TYPES.has(resource.type) || isJsonObject(own(context, 'arguments')),
      candidates,
      questionOn: ({ id, server }) => {
        const question = questionOf(evaluation(id));
        return server === null ? question : { ...question, server: { name: server } };
      },
      after,
      // A larger one does no harm: no more candidates than that are decided.
      limit: limit ?? MAX_PAGE,
    },
    result,
    tokenAfter: (from) => tokens.seal(same, { after: from, limit }),
  };
}

const digestOf = (request: object): string => digest(JSON.parse(JSON.stringify(request)) as Json);

/** The first page, or the one that a token stands for. Its limit need not be said again, and cannot be another. */
function placeOf({ token = '', limit }: PageBody = {}, request: string, tokens: PageTokens): PagePlace {
  if (token === '') return { after: null, limit: limit ?? null };
  const place = tokens.open(token, request);
  if (limit === undefined || limit === place.limit) return place;
  throw invalidPage('page.limit', `stays the same from page to page, here ${place.limit ?? 'none'}`);
}
