import { createSign, type KeyObject } from 'node:crypto';

/** Whose certificate it is, and for how long, in ms since 1970. */
export interface CertificateTerms {
  readonly commonName: string;
  readonly serial: Buffer;
  readonly from: number;
  readonly to: number;
}

/**
 * A certificate of an RSA key, signed by itself (RFC 5280 §4.1), PEM. Identity providers want keys in this form; nothing of
 * it but the key counts.
 */
export function selfSigned(publicKey: KeyObject, privateKey: KeyObject, terms: CertificateTerms): string {
  const name = sequence(tagged(0x31, sequence(COMMON_NAME, tagged(0x0c, Buffer.from(terms.commonName.slice(0, 64))))));
  const body = sequence(
    tagged(0x02, positive(terms.serial)),
    SHA256_WITH_RSA,
    name,
    sequence(time(terms.from), time(terms.to)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = createSign('RSA-SHA256').update(body).sign(privateKey);
  const der = sequence(body, SHA256_WITH_RSA, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** DER (X.690 §8.1): a tag, the length of the content, the content. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const bytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));

/** An object identifier whose numbers are given as they stand in DER. */
const identifier = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));

const COMMON_NAME = identifier('550403');

const SHA256_WITH_RSA = sequence(identifier('2a864886f70d01010b'), tagged(0x05, Buffer.alloc(0)));

/** A number whose first bit is no sign. */
const positive = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0]), Buffer.from([bytes[0]! | 0x80]), bytes.subarray(1)]);

/** Until 2049 two digits stand for a year (RFC 5280 §4.1.2.5). */
function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits));
}
