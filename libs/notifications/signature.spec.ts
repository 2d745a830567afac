import { describe, expect, it } from 'vitest';
import { signedHeaders, signingKeysOf } from './signature.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('a signature', () => {
  it('is that of the example of Standard Webhooks', () => {
    const body = '{"test": 2432232314}';
    expect(signedHeaders(signingKeysOf(SECRET)!, 'msg_p5jXN8AQM9LWM0D4loKWxJek', body, 1_614_265_330_999)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is made by every key there is', () => {
    const keys = signingKeysOf(`${SECRET} whsec_${Buffer.alloc(32, 7).toString('base64')}`)!;
    const signature = signedHeaders(keys, 'a', 'b', 0)['webhook-signature']!;
    expect(signature.split(' ')).toHaveLength(2);
    expect(new Set(signature.split(' ')).size).toBe(2);
  });

  it.each([
    ['', 'nothing'],
    ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'no prefix'],
    ['whsec_', 'nothing after it'],
    [`whsec_${Buffer.alloc(23).toString('base64')}`, 'too short'],
    [`whsec_${Buffer.alloc(65).toString('base64')}`, 'too long'],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!!', 'no base64'],
    [`${SECRET} x`, 'one of two'],
  ])('is made by no key of %j (%s)', (secret) => {
    expect(signingKeysOf(secret)).toBeUndefined();
  });
});
