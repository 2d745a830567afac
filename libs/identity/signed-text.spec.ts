import { generateKeyPairSync } from 'node:crypto';
import { CompactSign } from 'jose';
import { describe, expect, it } from 'vitest';
import { SignatureError, signText, verifiedText } from './signed-text.js';

const pair = (id: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    signer: { id, algorithm: 'ES256', key: privateKey },
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: id, alg: 'ES256', use: 'sig' },
  };
};
const [one, two] = [pair('one'), pair('two')];
const TYPE = 'a-kind+jws';

describe('a signed text', () => {
  it('holds against the key that signed it, among others', async () => {
    const jws = await signText('{"a":"ü"}', TYPE, one.signer);
    const { text, key } = await verifiedText(jws, TYPE, { keys: [two.jwk, one.jwk] });
    expect([text, key]).toEqual(['{"a":"ü"}', one.jwk]);
  });

  it('does not hold with one character changed, wherever it is', async () => {
    const jws = await signText('{"a":"b"}', TYPE, one.signer);
    for (let at = 0; at < jws.length - 1; at++) {
      const changed = `${jws.slice(0, at)}${jws[at] === 'A' ? 'B' : 'A'}${jws.slice(at + 1)}`;
      await expect(verifiedText(changed, TYPE, { keys: [one.jwk] }), `character ${at}`).rejects.toThrow(SignatureError);
    }
  });

  it.each<[string, unknown]>([
    ['another key', { keys: [two.jwk] }],
    ['another key of the same id', { keys: [{ ...two.jwk, kid: 'one' }] }],
    ['several of its id', { keys: [one.jwk, one.jwk] }],
    ['the same key, which is not named', { keys: [{ ...one.jwk, kid: undefined }] }],
    ['no key', { keys: [] }],
    ['no set of keys', { a: 1 }],
    ['nothing', null],
  ])('does not hold against %s', async (_what, keys) => {
    const jws = await signText('{}', TYPE, one.signer);
    await expect(verifiedText(jws, TYPE, keys)).rejects.toThrow(SignatureError);
  });

  it('says which key has signed it', async () => {
    const header = { typ: TYPE, alg: 'ES256' };
    const jws = await new CompactSign(Buffer.from('{}')).setProtectedHeader(header).sign(one.signer.key);
    const unnamed = { ...one.jwk, kid: undefined };
    for (const keys of [[one.jwk], [unnamed]])
      await expect(verifiedText(jws, TYPE, { keys })).rejects.toThrow('does not say which key');
  });

  it('is not of another kind', async () => {
    const jws = await signText('{}', 'at+jwt', one.signer);
    await expect(verifiedText(jws, TYPE, { keys: [one.jwk] })).rejects.toThrow('no a-kind+jws');
  });
});
