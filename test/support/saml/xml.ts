import { createRequire } from 'node:module';

/** As much of xml-crypto and xml-encryption as is used: their own types would make those of browsers known to all. */
interface SignedXml {
  addReference(reference: { xpath: string; transforms: readonly string[]; digestAlgorithm: string }): void;
  computeSignature(xml: string, options: { location: { reference: string; action: string }; prefix?: string }): void;
  getSignedXml(): string;
  enableHMAC(): void;
  checkSignature(xml: string): boolean;
}

/** As much of the tree of a document as attacks take. */
export interface Tree {
  readonly documentElement: El;
  createElementNS(namespace: string, name: string): El;
}

export interface El {
  readonly localName: string;
  readonly parentNode: El;
  readonly firstChild: El | null;
  readonly nextSibling: El | null;
  readonly childNodes: { readonly length: number; item(index: number): El };
  readonly ownerDocument: Tree;
  textContent: string;
  cloneNode(deep: boolean): El;
  appendChild(child: El): El;
  insertBefore(child: El, before: El | null): El;
  removeChild(child: El): El;
  replaceChild(child: El, before: El): El;
  getAttribute(name: string): string;
  setAttribute(name: string, value: string): void;
  getElementsByTagNameNS(namespace: string, name: string): { readonly length: number; item(index: number): El };
  toString(): string;
}

const require = createRequire(import.meta.url);

export const { SignedXml } = require('xml-crypto') as {
  readonly SignedXml: new (options: Readonly<Record<string, unknown>>) => SignedXml;
};

export const { encrypt } = require('xml-encryption') as {
  readonly encrypt: (
    content: string,
    options: Readonly<Record<string, unknown>>,
    done: (error: Error | null, result: string) => void,
  ) => void;
};

const { DOMParser } = require('@xmldom/xmldom') as {
  readonly DOMParser: new () => { parseFromString(text: string, type: string): Tree };
};

export const parse = (xml: string): Tree => new DOMParser().parseFromString(xml, 'text/xml');

/** Every element of a name, in any namespace. */
export function all(within: El, name: string): El[] {
  const found = within.getElementsByTagNameNS('*', name);
  return Array.from({ length: found.length }, (_, index) => found.item(index));
}

/** The first element of a name. */
export const one = (within: El, name: string): El => all(within, name)[0]!;
