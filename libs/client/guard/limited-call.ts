import type { Obligation } from '../decision.js';
import { frozenCopy } from '../json.js';
import { limitedResult, RESULT_OBLIGATIONS } from '../result-fields.js';

/** The result of a call as its obligations leave it. What a failed call says may hold anything, so it is left out, too. */
export async function limitedCall(call: () => Promise<object>, obligations: readonly Obligation[]): Promise<object> {
  if (!obligations.some(({ type }) => Object.hasOwn(RESULT_OBLIGATIONS, type))) return call();
  let result: object;
  try {
    result = await call();
  } catch (error) {
    throw new LeftOut((error as { code?: unknown } | undefined)?.code);
  }
  return limitedResult(frozenCopy(result) as never, obligations);
}

/** A call failed of whose result the policy covers only some fields. Its code says how; there is no more to see. */
class LeftOut extends Error {
  override readonly name = 'LeftOut';
  readonly code: number | string | undefined;

  constructor(code: unknown) {
    super('the call failed, and what was said about it is left out: the policy covers only some fields of the result');
    this.code = typeof code === 'number' || typeof code === 'string' ? code : undefined;
  }
}
