import { SamlRefused } from './saml-refused.js';
import { DOMParser, type XmlElement, type XmlNode } from './xmldom.js';

/** Largest document that is looked at, in bytes. */
export const MAX_XML_BYTES = 256 * 1024;

/** What readers and canonicalisers take a time for that grows faster than the document does, before anything is proven. */
const MAX_ELEMENTS = 2000;
const MAX_DEPTH = 24;

/** A document that two readers of XML could not take for two different ones, and its text as it was read. */
export interface ReadXml {
  readonly text: string;
  readonly root: XmlElement;
}

/**
 * Reads a document. Throws SamlRefused for everything by which readers of XML have come apart: a document type, entities,
 * comments, processing instructions, CDATA, characters that XML has not, relative names of namespaces, two elements of one
 * id. What others read afterwards is the text that this returns, and not the one that came.
 * @param limits how many elements there may be at most
 */
export function readXml(bytes: Buffer | string, limits: { readonly elements?: number } = {}): ReadXml {
  const text = checkedText(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  checkTags(text, limits.elements ?? MAX_ELEMENTS);
  const root = parsed(text);
  checkTree(root);
  return { text, root };
}

function checkedText(bytes: Buffer): string {
  if (bytes.length > MAX_XML_BYTES) return refuse(`it has more than ${MAX_XML_BYTES} bytes`);
  // The declaration says nothing that is not known already, once the bytes are UTF-8.
  const text = decoded(bytes)
    .replace(
      /^<\?xml version=["']1\.0["'](?: encoding=["'][Uu][Tt][Ff]-8["'])?(?: standalone=["'](?:yes|no)["'])?\s*\?>\s*/,
      '',
    )
    .replace(/\r\n?/g, '\n')
    .trim();
  if (!text.startsWith('<')) return refuse('it is no XML: it does not begin with a tag');
  if (/<!/.test(text)) return refuse('it has a document type, a comment or CDATA');
  if (/<\?/.test(text)) return refuse('it has a processing instruction');
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});)/.test(text))
    return refuse('it has an entity of its own');
  const numbers = [...text.matchAll(/&#(?:x([0-9a-fA-F]+)|(\d+));/g)].map(([, hex, decimal]) =>
    hex === undefined ? Number(decimal) : Number.parseInt(hex, 16),
  );
  if (NOT_XML.test(text) || numbers.some((code) => code > 0x10ffff || NOT_XML.test(String.fromCodePoint(code))))
    return refuse('it has characters that XML has not');
  return text;
}

/** Characters of no document, whether they stand in it or are named by their number (XML 1.0 §2.2); and DEL. */
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|\p{Cs}/u;

/** With 32 attributes at most. */
const TAG = /<(\/?)([^\s/<>"'=]+)(?:\s+[^\s/<>"'=]+\s*=\s*(?:"[^"<]*"|'[^'<]*')){0,32}\s*(\/?)>/y;

/**
 * Every end is the end of what was begun last: the reader of XML takes others without a word. And what is too large or too
 * deep is not given to it at all.
 */
function checkTags(text: string, most: number): void {
  const open: string[] = [];
  let count = 0;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', TAG.lastIndex)) {
    TAG.lastIndex = at;
    const [, end, name, isEmpty] = TAG.exec(text) ?? refuse('it is no XML: a tag is not one');
    if (end === '') {
      if (++count > most || open.length > MAX_DEPTH) refuse('it is too large or too deep');
      if (isEmpty === '') open.push(name!);
    } else if (open.pop() !== name || isEmpty !== '') refuse('it is no XML: an end is not that of what was begun');
  }
  if (open.length > 0) refuse('it is no XML: it is cut off');
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('it is not UTF-8');
  }
}

function parsed(text: string): XmlElement {
  const stop = (message: unknown): never => refuse(`it is no XML: ${String(message).split('\n')[0]!.slice(0, 200)}`);
  let document: XmlNode | undefined;
  try {
    document = new DOMParser({
      locator: {},
      errorHandler: { warning: stop, error: stop, fatalError: stop },
    }).parseFromString(text, 'text/xml');
  } catch (error) {
    if (error instanceof SamlRefused) throw error;
    return stop((error as Error).message);
  }
  const root = document?.firstChild;
  return isElement(root) && !root.nextSibling ? root : stop('it is not one element');
}

/**
 * INVARIANT: an id is on one element, whatever its attribute is called (`ID`, `Id`, `xml:id`): what one reader finds by it,
 * all find. And nothing is in the tree but elements, attributes and text.
 */
function checkTree(root: XmlElement): void {
  const ids = new Set<string>();
  const visit = (element: XmlElement): void => {
    for (const { name, value } of attributesOf(element)) {
      if (name === 'xmlns' || name.startsWith('xmlns:')) checkNamespace(value);
      else if (name.replace(/^.*:/, '').toLowerCase() === 'id') takeId(ids, value);
    }
    for (const child of children(element)) {
      if (isElement(child)) visit(child);
      else if (child.nodeType !== TEXT) refuse('it has something that is neither an element nor text');
    }
  };
  visit(root);
}

/** A namespace that is no absolute URI: canonicalisers have taken a whole document for nothing because of one. */
function checkNamespace(uri: string): void {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(uri)) refuse('it has a namespace that is no absolute URI');
}

function takeId(ids: Set<string>, id: string): void {
  if (!/^[A-Za-z_][\w.-]{0,255}$/.test(id)) refuse('it has an id that is no name');
  if (ids.has(id)) refuse('two of its elements have the same id');
  ids.add(id);
}

const TEXT = 3;

/** Elements among the children, in order. */
export const childElements = (element: XmlElement): XmlElement[] => children(element).filter(isElement);

const isElement = (node: XmlNode | null | undefined): node is XmlElement => node?.nodeType === 1;

function children(element: XmlElement): XmlNode[] {
  const found: XmlNode[] = [];
  for (let node = element.firstChild; node; node = node.nextSibling) found.push(node);
  return found;
}

const attributesOf = ({ attributes }: XmlElement) =>
  Array.from({ length: attributes.length }, (_, index) => attributes.item(index));

const refuse = (message: string): never => {
  throw new SamlRefused('shape', message);
};
