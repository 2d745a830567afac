import { z } from 'zod';
import type { ConsentChoice } from '#policy';

const tenant = z.string().min(1).max(256);

export const tenantParamsSchema = z.object({ tenant });
export type TenantParams = z.output<typeof tenantParamsSchema>;

export const requestParamsSchema = z.object({ tenant, id: z.string().max(128) });
export type RequestParams = z.output<typeof requestParamsSchema>;

const link = z.string().max(128).optional();

export const requestQuerySchema = z.object({ link });
export type RequestQuery = z.output<typeof requestQuerySchema>;

const token = z.string().max(100);

/** What the form of an answer sends. What is chosen is read by `answerOf`. */
export const answerFormSchema = z.object({
  token,
  shown: z.string().max(64),
  answer: z.string().max(64).optional(),
  break_glass: z.string().max(2000).optional(),
  link,
});
export type AnswerForm = z.output<typeof answerFormSchema>;

export const takeBackFormSchema = z.object({ token });
export type TakeBackForm = z.output<typeof takeBackFormSchema>;

/** An answer, as the form has it. */
export type FormAnswer = { readonly answer: 'refused' } | { readonly answer: 'agreed'; readonly choice: ConsentChoice };

/** The value of a choice in the form; `answerOf` reads it. */
export function valueOf(choice: ConsentChoice): string {
  switch (choice.for) {
    case 'uses':
      return `uses:${choice.uses}`;
    case 'session':
      return 'session';
    case 'until':
      return `until:${choice.ms}`;
  }
}

/** What was chosen; undefined for nothing, and for what the form does not have. */
export function answerOf(value: string | undefined): FormAnswer | undefined {
  if (value === 'refuse') return { answer: 'refused' };
  if (value === 'session') return { answer: 'agreed', choice: { for: 'session' } };
  const [, how, number] = /^(uses|until):([1-9][0-9]{0,12})$/.exec(value ?? '') ?? [];
  if (how === 'uses') return { answer: 'agreed', choice: { for: 'uses', uses: Number(number) } };
  if (how === 'until') return { answer: 'agreed', choice: { for: 'until', ms: Number(number) } };
  return undefined;
}
