import type { DemoOptions } from '../demo.js';
import { paragraph } from '../layout.js';
import { runSteps, type SsoReport } from '../sso/run.js';
import { openStage } from './stage.js';
import { STEPS } from './steps.js';

/** Runs the demo of sign-in by SAML; nothing is there before and after. Rejects if it cannot be carried through. */
export async function runSamlDemo(options: DemoOptions): Promise<SsoReport> {
  options.signal?.throwIfAborted();
  const stage = await openStage(options);
  const opening = paragraph(
    'People of a company sign in by SAML. What their provider sends is looked at before and after any library does, and signs ' +
      'in once, in the browser that asked for it.',
    [
      `Placet             ${stage.url}, on an embedded Postgres`,
      `identity provider  ${stage.idp.entityId}, a SAML provider of its own`,
    ],
  );
  return runSteps(stage, STEPS, opening, options);
}
