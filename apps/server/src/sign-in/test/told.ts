import type { IssuerDocument } from '#policy';

/** What an Issuer requires of claims, to be read. */
export const requirements = ({ require = [] }: IssuerDocument): string =>
  require.length === 0
    ? 'the document requires no claims'
    : `the document requires ${require.map(({ claim, equals }) => `${claim} to be ${JSON.stringify(equals)}`).join(', ')}`;
