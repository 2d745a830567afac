import { coloured, heading, line, paragraph } from '../layout.js';
import type { Stage } from './stage.js';
import type { Seen } from './step.js';

/** What stands above the steps. */
export function opening({ url, idp, kept }: Stage): string {
  return paragraph(
    'People of a company sign in where they always do. Placet keeps no passwords: it trusts one issuer, and documents say what ' +
      'the groups of its tokens give.',
    [
      `Placet             ${url}, on an embedded Postgres`,
      `identity provider  ${idp.issuer}, an OpenID provider of its own`,
      `command line       keeps its sign-in in ${kept}`,
    ],
  );
}

/** One step as a block. */
export function block(number: number, title: string, { lines }: Seen, colours: boolean): string {
  return [
    heading(number, title, colours),
    ...lines.flatMap(([label, text]) =>
      label === 'answer' ? [`    answer  ${coloured(text === 'allow' ? text : 'deny', colours)}`] : line(label, text),
    ),
    '',
    '',
  ].join('\n');
}

/** What stands below them. */
export const closing = (steps: number): string =>
  paragraph(`All ${steps} steps are done; the service, its database and the identity provider are ended.`, []);
