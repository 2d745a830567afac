import type { Call, Decisions } from '#decision';
import { Refusal } from '#http';
import { MCP_RESOURCE_TYPES, type Columns } from '#policy';
import { profileObligations } from './obligations.js';
import { proofOf, questionOf } from './questions.js';
import type { FilterRequestBody } from './wire.js';

/** Which rows of a table of the host's would be allowed, as a tree, as CEL, and for its columns as SQL. */
export async function filterBody(decisions: Decisions, body: FilterRequestBody, call: Call): Promise<object> {
  const { type } = body.resource;
  if (MCP_RESOURCE_TYPES.has(type)) {
    throw new Refusal(
      'invalid_request',
      `resource.type: '${type}' is a type of MCP's own; a filter is for types of yours. Use a search or a listing`,
    );
  }
  const question = questionOf({ ...body, resource: { type, id: '' } }, await proofOf(decisions, body, call, 'filter'));
  const table = { columns: columnsOf(body.sql), firstParameter: body.sql?.first_parameter ?? 1 };
  const { evaluationId, revision, now, filter: found } = await decisions.filter(call, question, table);
  const { filter, ast, cel, sql, obligations, reason } = found;
  return {
    filter,
    ast,
    cel,
    ...(sql ? { sql } : {}),
    obligations: profileObligations(obligations),
    context: {
      evaluation_id: evaluationId,
      evaluated_at: new Date(now).toISOString(),
      revision,
      ...(reason ? { reason } : {}),
    },
  };
}

function columnsOf(sql: FilterRequestBody['sql']): Columns | null {
  return sql ? { table: sql.table ?? null, id: sql.id ?? null, properties: sql.properties ?? new Map() } : null;
}
