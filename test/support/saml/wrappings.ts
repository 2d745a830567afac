import { all, one, parse, type El } from './xml.js';

const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#';
const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol';

/** Somebody else, as whom an attacker wants to be taken. */
export const EVIL = 'admin-0001';

/** A copy that nobody has signed, of somebody else, under an id of its own. */
function evil(element: El): El {
  const copy = element.cloneNode(true);
  for (const signature of all(copy, 'Signature')) signature.parentNode.removeChild(signature);
  for (const name of all(copy, 'NameID')) name.textContent = EVIL;
  copy.setAttribute('ID', '_evil');
  return copy;
}

const signatureIn = (element: El): El | undefined =>
  all(element, 'Signature').find((each) => each.parentNode === element);

/** Takes the signature out of an element. */
function withoutSignature(element: El): El | undefined {
  const signature = signatureIn(element);
  if (signature) element.removeChild(signature);
  return signature;
}

/** A wrapping: changes the tree so that a signature still fits something, and somebody else is said. */
type Wrapping = (root: El, assertion: El) => void;

const onResponse =
  (place: (root: El, signature: El | undefined, original: El) => void): Wrapping =>
  (root) => {
    const original = root.cloneNode(true);
    withoutSignature(original);
    const signature = signatureIn(root);
    root.setAttribute('ID', '_evil-response');
    for (const name of all(root, 'NameID')) name.textContent = EVIL;
    place(root, signature, original);
  };

/** The eight shapes of signature wrapping (Somorovsky et al. 2012), as tools for testing number them. */
export const WRAPPINGS: Readonly<Record<string, Wrapping>> = {
  'xsw1: the answer within its signature': onResponse((root, signature, original) =>
    (signature ?? root).appendChild(original),
  ),
  'xsw2: the answer before its signature': onResponse((root, signature, original) =>
    root.insertBefore(original, signature ?? root.firstChild),
  ),
  'xsw3: another assertion before it': (root, assertion) => {
    root.insertBefore(evil(assertion), assertion);
  },
  'xsw4: the assertion within another one': (root, assertion) => {
    const other = evil(assertion);
    root.replaceChild(other, assertion);
    other.appendChild(assertion);
  },
  'xsw5: another assertion has the signature': (root, assertion) => {
    const other = evil(assertion);
    const signature = withoutSignature(assertion);
    if (signature) other.insertBefore(signature, other.firstChild!.nextSibling);
    root.insertBefore(other, assertion);
  },
  'xsw6: the assertion within the signature in another one': (root, assertion) => {
    const other = evil(assertion);
    const signature = withoutSignature(assertion);
    root.replaceChild(other, assertion);
    if (signature) other.insertBefore(signature, other.firstChild!.nextSibling);
    (signature ?? other).appendChild(assertion);
  },
  'xsw7: another assertion among extensions': (root, assertion) => {
    const extensions = root.ownerDocument.createElementNS(PROTOCOL, 'samlp:Extensions');
    extensions.appendChild(evil(assertion));
    root.insertBefore(extensions, assertion);
  },
  'xsw8: the assertion in an object of the signature': (root, assertion) => {
    const other = evil(assertion);
    const signature = withoutSignature(assertion);
    root.replaceChild(other, assertion);
    const object = root.ownerDocument.createElementNS(SIGNATURE, 'Object');
    object.appendChild(assertion);
    if (signature) other.insertBefore(signature, other.firstChild!.nextSibling);
    (signature ?? other).appendChild(object);
  },
};

/** Wraps an answer in the open. */
export function wrapped(xml: string, wrapping: Wrapping): string {
  const tree = parse(xml);
  wrapping(tree.documentElement, one(tree.documentElement, 'Assertion'));
  return tree.documentElement.toString();
}

/** Wraps an answer whose assertion is encrypted, with the assertion of somebody else in the open. */
export function wrappedAround(xml: string, plain: string, wrapping: Wrapping): string {
  const tree = parse(xml);
  const sealed = one(tree.documentElement, 'EncryptedAssertion');
  const other = one(parse(plain).documentElement, 'Assertion').cloneNode(true);
  sealed.parentNode.insertBefore(other, sealed);
  wrapping(tree.documentElement, other);
  return tree.documentElement.toString();
}
