import { randomBytes } from 'node:crypto';

/** An id that nobody can guess: 128 random bits. */
const idOf = (prefix: string): string => `${prefix}_${randomBytes(16).toString('base64url')}`;

export const newRequestId = (): string => idOf('cr');

export const newConsentId = (): string => idOf('co');

export const newReceiptId = (): string => idOf('crr');

export const newDelegationId = (): string => idOf('cd');

/** Whether a text can be the id of a request; what is in the database says whether it is. */
export const isRequestId = (text: string): boolean => /^cr_[A-Za-z0-9_-]{22}$/.test(text);
