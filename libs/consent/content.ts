import { z } from 'zod';
import type { ConsentBlock, Requirement } from '#policy';

/** What must be agreed to, as a request keeps it. */
export interface AskedRequirement {
  /** Null: the tenant's default effect. */
  readonly rule: { readonly policy: string; readonly version: number; readonly rule: string } | null;
  readonly consent: ConsentBlock;
  /** The digest of all that an agreement is bound to, in hexadecimal. */
  readonly binding: string;
}

/** What a request for consent keeps besides its columns. */
export interface RequestContent {
  readonly subject: { readonly type: string; readonly id: string };
  readonly requirements: readonly AskedRequirement[];
}

const contentSchema = z.object({
  subject: z.object({ type: z.string(), id: z.string() }),
  requirements: z
    .array(
      z.object({
        rule: z.object({ policy: z.string(), version: z.number(), rule: z.string() }).nullable(),
        // Ours, as it was published: a block that this version cannot read has another digest, and meets nothing.
        consent: z.custom<ConsentBlock>(
          (block) => z.object({ by: z.array(z.string()).min(1) }).safeParse(block).success,
        ),
        binding: z.string(),
      }),
    )
    .min(1),
});

/** Reads what a request keeps. Throws ZodError for what no version has written. */
export const contentOf = (stored: unknown): RequestContent => contentSchema.parse(stored);

/** What a request keeps of requirements. Undefined where one of them cannot be agreed to. */
export function askedOf(requirements: readonly Requirement[]): readonly AskedRequirement[] | undefined {
  const asked = requirements.map(({ rule, consent, binding }) => binding !== null && { rule, consent, binding });
  return asked.every((one) => one !== false) ? asked : undefined;
}
