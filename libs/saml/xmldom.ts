import { createRequire } from 'node:module';

/** As much of a node of a document as is read here. */
export interface XmlNode {
  readonly nodeType: number;
  readonly nodeValue: string | null;
  readonly textContent: string | null;
  readonly parentNode: XmlNode | null;
  readonly firstChild: XmlNode | null;
  readonly nextSibling: XmlNode | null;
}

/** As much of an element as is read here. */
export interface XmlElement extends XmlNode {
  readonly localName: string;
  readonly namespaceURI: string | null;
  readonly attributes: {
    readonly length: number;
    item(index: number): { readonly name: string; readonly value: string };
  };
  hasAttribute(name: string): boolean;
  getAttribute(name: string): string;
  toString(): string;
}

interface DomParser {
  parseFromString(text: string, type: 'text/xml'): XmlNode | undefined;
}

type OnError = (message: unknown) => never;

interface ParserOptions {
  readonly locator: object;
  readonly errorHandler: { readonly warning: OnError; readonly error: OnError; readonly fatalError: OnError };
}

/**
 * The reader of XML: the very one that the libraries behind us read with. Not by an import, as its types would make those of
 * browsers known to the whole program.
 */
export const { DOMParser } = createRequire(import.meta.url)('@xmldom/xmldom') as {
  readonly DOMParser: new (options: ParserOptions) => DomParser;
};
