import { DirectoryError } from '#directory';
import { Refusal } from '#http';
import { isLoopbackUrl, OutgoingError } from '#outgoing';
import type { DocumentSet } from '#policy';
import type { PublicAddress } from '../../http/public-address.js';
import { SignInError, type Connector, type Examined } from '../connector.js';
import type { Connectors, NamedTenant } from '../connectors.js';
import { callbackOf } from '../saml/places.js';
import { NotGood, stepOf, type Step, type StepName } from './steps.js';

/** After how long no further step is begun, in ms: whoever asks waits for it. */
const LIMIT_MS = 40_000;

/** What was tried of a way to sign in without a person. */
export interface Examination {
  readonly protocol: string;
  readonly steps: readonly Step[];
}

/** Tries everything of an Issuer that can be tried without a person, step by step. Throws Refusal where there is no such Issuer. */
export async function examine(
  connectors: Pick<Connectors, 'of'>,
  address: PublicAddress,
  tenant: NamedTenant,
  documents: DocumentSet,
  name: string,
): Promise<Examination> {
  const issuer = documents.find('Issuer', name)?.document;
  if (!issuer) throw new Refusal('not_found', `there is no Issuer named '${name}'`);
  const protocol = issuer.signIn?.protocol ?? 'none';
  const steps: Step[] = [];
  const examined = examinedInto(steps, callbackOf(address, tenant.name, name));
  let connector: Connector | undefined;
  await examined.step('document', () => {
    if (!issuer.signIn) throw new NotGood(`the Issuer '${name}' has no signIn: nobody signs in by it`);
    connector = connectors.of(tenant, documents, name);
    return `the Issuer '${name}', by ${connector.kind}, of ${issuer.issuer}`;
  });
  if (!connector) return { protocol, steps };
  await examined.step('service_provider', () => {
    const { url } = address;
    if (url.startsWith('https://') || isLoopbackUrl(url)) return `browsers reach us at ${url}`;
    throw new NotGood(`browsers reach us at ${url}, and people sign in by https only`);
  });
  await connector.examine?.(examined);
  return { protocol: connector.kind, steps };
}

function examinedInto(steps: Step[], callback: string): Examined {
  const until = performance.now() + LIMIT_MS;
  const add = (step: StepName, outcome: Step['outcome'], found: string) =>
    void steps.push(stepOf(step, outcome, found));
  return {
    callback,
    async step(step, work) {
      if (performance.now() > until) {
        add(step, 'unknown', 'not looked at any more: what came before took too long');
        return false;
      }
      try {
        add(step, 'ok', await work());
        return true;
      } catch (error) {
        add(step, 'failed', whatIsWrong(error));
        return false;
      }
    },
    unknown: (step, found) => add(step, 'unknown', found),
  };
}

/** What is of this very step. Whatever else goes wrong is no matter of the Issuer. */
function whatIsWrong(error: unknown): string {
  const isOfIt = [NotGood, SignInError, DirectoryError, OutgoingError].some((kind) => error instanceof kind);
  if (isOfIt) return (error as Error).message;
  throw error;
}
