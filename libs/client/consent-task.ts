import { invalid } from './answer.js';
import { denied, type Denied } from './decision.js';
import type { Reply } from './exchange.js';
import { isJsonObject, own, type Json, type JsonObject } from './json.js';

/** Where a request for consent stands, or that Placet could not be asked: then nobody has agreed. */
export type ConsentTask = KnownTask | UnknownTask;

export interface KnownTask {
  /** Of the request, and of the approval that comes of it. */
  readonly id: string;
  /** All but `pending` are final. */
  readonly status: 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';
  /** Until when it can be answered (RFC 3339). */
  readonly expiresAt: string;
  /** The page where people look at it and answer. It is no secret and no right: whoever goes there has to sign in. */
  readonly reviewUrl: string;
  /** Of one that was just asked for and is pending. */
  readonly elicitation?: UrlElicitation;
  /** Of one that was approved: what a decision is asked for with, and until when that can be of use (RFC 3339). */
  readonly approval?: Approval & { readonly approvedUntil: string };
}

export interface UnknownTask {
  readonly failure: Denied;
}

/** What came of a request, by which a decision can name it. A reference, and no right: Placet decides what it counts for. */
export interface Approval {
  readonly id: string;
}

/** What a host shows that can show an elicitation in URL mode (MCP 2025-11-25). */
export interface UrlElicitation {
  readonly mode: 'url';
  readonly elicitationId: string;
  readonly url: string;
  /** What is asked, in one sentence of Placet's. */
  readonly message: string;
}

const STATUSES = ['pending', 'approved', 'denied', 'expired', 'cancelled'] as const;

/** A reply of `/access/v1/requests` and of what lies below. What is not whole and consistent is a failure. */
export function readTask(reply: Reply, isNew = false): ConsentTask {
  if ('failure' in reply) return { failure: denied(reply.failure.code, reply.failure.message) };
  const task = isJsonObject(reply.body) ? taskOf(reply.body) : 'it is no object';
  if (typeof task === 'string') return { failure: invalid(task) };
  if (isNew && task.status === 'pending' && !task.elicitation)
    return { failure: invalid('it does not say what is asked') };
  return task;
}

/** The task, or what is wrong with the answer. */
function taskOf(body: JsonObject): KnownTask | string {
  const task = memberOf(body, 'task');
  const [id, expiresAt] = [textOf(task, 'id'), textOf(task, 'expires_at')];
  const status = STATUSES.find((each) => each === textOf(task, 'status'));
  const reviewUrl = pageOf(textOf(memberOf(task, 'links'), 'review'));
  if (id === undefined || expiresAt === undefined || !status || reviewUrl === undefined)
    return 'its task is not readable';
  const known = { id, status, expiresAt, reviewUrl };
  if (status === 'pending') {
    const elicitation = elicitationOf(memberOf(body, 'elicitation'));
    return elicitation ? { ...known, elicitation } : known;
  }
  if (status !== 'approved') return known;
  const approval = memberOf(memberOf(body, 'result'), 'approval');
  const approvedUntil = textOf(approval, 'approved_until');
  if (textOf(approval, 'id') !== id || approvedUntil === undefined) return 'it says approved, and not by what';
  return { ...known, approval: { id, approvedUntil } };
}

function elicitationOf(value: JsonObject): UrlElicitation | undefined {
  const [elicitationId, message] = [textOf(value, 'elicitationId'), textOf(value, 'message')];
  const url = pageOf(textOf(value, 'url'));
  if (textOf(value, 'mode') !== 'url' || elicitationId === undefined || message === undefined) return undefined;
  return url === undefined ? undefined : { mode: 'url', elicitationId, url, message };
}

/** What a host may open at a browser: a page, and no script. */
const pageOf = (url: string | undefined): string | undefined => (url && /^https?:\/\//i.test(url) ? url : undefined);

/** A member that is an object; an empty one where there is none. */
function memberOf(object: JsonObject, name: string): JsonObject {
  const value: Json | undefined = own(object, name);
  return isJsonObject(value) ? value : {};
}

function textOf(object: JsonObject, name: string): string | undefined {
  const value = own(object, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
