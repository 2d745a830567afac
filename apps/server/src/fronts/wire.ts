import { z } from 'zod';
import type { JsonObject } from '#policy';

/** An object of anything. Checked by hand: a zod record would drop `__proto__`, and the decision would not see it. */
export const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);

/** A name or id: not empty, not endless. */
export const id = z.string().min(1).max(2048);
