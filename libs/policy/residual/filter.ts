import type { PolicySet } from '../compile/policy-set.js';
import type { DecisionInput } from '../decide/request.js';
import { celOf } from './cel-text.js';
import { rowsOf, type Columns } from './columns.js';
import type { Formula } from './formula.js';
import { residualOf, type Residual } from './residual.js';
import { Inexpressible } from './rows.js';
import { sqlOf, type SqlCondition } from './sql.js';
import type { NoFilter } from './weighing.js';

/** Which rows of a table of the caller's a question would be allowed for, in every form that they can be told in. */
export interface Filter extends Omit<Residual, 'formula'> {
  readonly filter: 'all' | 'none' | 'conditional';
  readonly ast: Formula;
  /** Null where no columns were named. */
  readonly sql: SqlCondition | null;
  /** Null where it would be longer than a condition may be. */
  readonly cel: string | null;
}

export interface FilterOptions {
  /** Whether the caller may say that a row has an attribute; one that it may not say is not there. */
  readonly isOpen: (attribute: string) => boolean;
  readonly columns: Columns | null;
  /** The number of the first parameter. */
  readonly firstParameter: number;
}

/** What `decide` would allow of the rows that a caller has, as a filter; or why there is none that says exactly that. */
export function filterOf(
  set: PolicySet,
  input: DecisionInput,
  { isOpen, columns, firstParameter }: FilterOptions,
  now: number,
): Filter | { readonly refused: NoFilter } {
  const residual = residualOf(set, input, rowsOf(columns, isOpen), now);
  if ('refused' in residual) return residual;
  const { formula, ...rest } = residual;
  try {
    return {
      ...rest,
      filter: formula.op === 'true' ? 'all' : formula.op === 'false' ? 'none' : 'conditional',
      ast: formula,
      sql: columns && sqlOf(formula, columns, firstParameter),
      cel: celOf(formula),
    };
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
    return { refused: { why: error.message, rule: null, clause: null } };
  }
}
