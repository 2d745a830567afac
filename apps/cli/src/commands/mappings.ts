import { readFileSync } from 'node:fs';
import { CommandError, type Api } from '../api.js';
import { EXIT, plain, type Output } from '../output.js';
import { UsageError } from '../usage.js';
import { json } from './decide.js';

export interface TrialOptions {
  readonly tokenFile: string | undefined;
  readonly claims: string | undefined;
  readonly issuer: string | undefined;
}

interface Reason {
  readonly of: string;
  readonly test: string;
  readonly found: string;
  readonly why: string;
}

/** What a token or claims come to, as the service says it. */
export interface Trial {
  readonly verified?: boolean;
  readonly refused?: { readonly check: string; readonly detail: string };
  readonly issuer?: string;
  readonly subject?: { readonly type: string; readonly id: string } | null;
  readonly unmet?: string;
  readonly groups?: { readonly names: readonly string[]; readonly complete: boolean } | null;
  readonly rules?: readonly {
    readonly mapping: string;
    readonly rule: string;
    readonly outcome: string;
    readonly because: readonly Reason[];
  }[];
  readonly roles?: { readonly held: readonly string[]; readonly possible: readonly string[] };
  readonly administration?: readonly string[];
  readonly properties?: object;
}

/** `mapping try`: says whom a token or claims prove, and what each rule gives them. A token never stands on a command line. */
export async function tryMapping(api: Api, output: Output, options: TrialOptions, asJson: boolean): Promise<number> {
  const trial = await api.post<Trial>('/api/v1/mappings/try', requestOf(options));
  if (asJson) output.line(JSON.stringify(trial, null, 2));
  else for (const line of linesOf(trial)) output.line(plain(line));
  return trial.verified === false ? EXIT.deny : EXIT.ok;
}

function requestOf({ tokenFile, claims, issuer }: TrialOptions): object {
  if (tokenFile !== undefined && claims === undefined && issuer === undefined) {
    return { token: contentOf(tokenFile).trim() };
  }
  if (tokenFile === undefined && claims !== undefined && issuer !== undefined) {
    return { issuer, claims: json(contentOf(claims), claims) };
  }
  throw new UsageError('mapping try needs --token-file FILE, or --claims FILE --issuer NAME');
}

function contentOf(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (cause) {
    throw new CommandError(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
}

/** The same as lines to read. */
export function linesOf({ refused, issuer, ...trial }: Trial): string[] {
  if (refused)
    return [`not believed (${refused.check}): ${refused.detail}${issuer ? `, by the Issuer ${issuer}` : ''}`];
  const { subject, unmet, groups, rules = [], roles, administration = [], properties = {} } = trial;
  return [
    `issuer: ${issuer ?? '-'}`,
    `subject: ${subject ? `${subject.type}:${subject.id}` : 'nobody that could be one'}`,
    ...(unmet === undefined ? [] : [`the claim ${unmet} is not as the Issuer requires`]),
    `groups: ${groups ? `${listed(groups.names)}${groups.complete ? '' : ' (and perhaps others)'}` : 'not known'}`,
    ...rules.map(({ mapping, rule, outcome, because }) => `${outcome.padEnd(8)}${mapping}/${rule}${whyOf(because)}`),
    `roles: ${listed(roles?.held ?? [])}`,
    ...(roles && roles.possible.length > 0 ? [`perhaps: ${listed(roles.possible)}`] : []),
    `administration: ${listed(administration)}`,
    `properties: ${JSON.stringify(properties)}`,
  ];
}

const listed = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : '-');

const whyOf = (because: readonly Reason[]): string =>
  because.length === 0
    ? ''
    : `: ${because.map(({ of, test, found, why }) => `${test === 'group' ? `group ${of}` : `${of} ${test}`}: ${why} (found: ${found})`).join('; ')}`;
