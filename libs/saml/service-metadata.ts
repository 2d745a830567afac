import { BINDINGS, NAME_FORMATS, NAMESPACES } from './names.js';

/** What identity providers have to know of us. */
export interface ServiceMetadata {
  readonly entityId: string;
  readonly recipient: string;
  /** Of every key that signs, or is going to, PEM; the one that signs now is the first. */
  readonly signing: readonly string[];
  /** Of the key that assertions are to be encrypted for, PEM. */
  readonly encryption: string;
  readonly persistentName: boolean;
}

/** Our metadata (SAML 2.0 metadata §2.4.4). */
export function serviceMetadata({ entityId, recipient, signing, encryption, persistentName }: ServiceMetadata): string {
  const methods = ['aes256-gcm', 'aes128-gcm'].map(
    (name) => `<md:EncryptionMethod Algorithm="${NAMESPACES.xenc11}${name}"/>`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<md:EntityDescriptor xmlns:md="${NAMESPACES.md}" xmlns:ds="${NAMESPACES.ds}" entityID="${escaped(entityId)}">`,
    `  <md:SPSSODescriptor protocolSupportEnumeration="${NAMESPACES.samlp}" AuthnRequestsSigned="true" WantAssertionsSigned="true">`,
    ...signing.map((certificate) => keyDescriptor('signing', certificate, [])),
    keyDescriptor('encryption', encryption, methods),
    ...(persistentName ? [`    <md:NameIDFormat>${NAME_FORMATS.persistent}</md:NameIDFormat>`] : []),
    `    <md:AssertionConsumerService index="0" isDefault="true" Binding="${BINDINGS.post}" Location="${escaped(recipient)}"/>`,
    '  </md:SPSSODescriptor>',
    '</md:EntityDescriptor>',
    '',
  ].join('\n');
}

const keyDescriptor = (use: string, certificate: string, methods: readonly string[]): string =>
  [
    `    <md:KeyDescriptor use="${use}">`,
    `      <ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificate.replace(/-----[^-]+-----|\s/g, '')}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`,
    ...methods.map((method) => `      ${method}`),
    '    </md:KeyDescriptor>',
  ].join('\n');

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
