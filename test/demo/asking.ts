import type { ConsentAsk } from '#client';
import { lookAt } from './answering.js';
import type { DemoOptions } from './demo.js';
import type { DemoOperation } from './operations.js';

/** What people were asked, and who is to answer. */
export interface DemoAsk {
  readonly asked: Pick<ConsentAsk, 'decision' | 'request' | 'reviewUrl'>;
  /** What is asked, in the words of the request; undefined: it is none that ann may answer. */
  readonly text: string | undefined;
  readonly answers: NonNullable<DemoOptions['answers']>;
}

/** Ann looks at what the application has people asked for. Tells of it, and then answers, or leaves that to a second terminal. */
export async function askAnn(
  ask: ConsentAsk,
  { ann }: DemoOperation,
  answers: NonNullable<DemoOptions['answers']>,
  tell: (ask: DemoAsk) => void,
): Promise<void> {
  const found = await lookAt(ask.reviewUrl);
  tell({ asked: ask, text: found?.text, answers });
  // There is nobody else in this demo who could agree.
  if (!found || ann !== 'may agree') ask.cancel();
  else if (answers === 'demo') await found.answer('agree');
}
