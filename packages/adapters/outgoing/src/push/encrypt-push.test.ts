import { describe, expect, test } from 'vitest';
import { encryptPush } from './encrypt-push.ts';
import { createVapidKeys, pushSubject, Vapid } from './vapid.ts';

describe('encryption of push messages', () => {
  test('the example of RFC 8291, section 5, byte for byte', () => {
    const body = encryptPush(
      Buffer.from('When I grow up, I want to be a watermelon'),
      {
        p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
        auth: 'BTBZMqHH6r4Tts7J_aSIgg',
      },
      {
        salt: Buffer.from('DGv6ra1nlYgDCS1FRnbzlw', 'base64url'),
        senderKey: Buffer.from('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw', 'base64url'),
      },
    );
    expect(body.toString('base64url')).toBe(
      'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
    );
  });

  test.each([
    ['', ''],
    ['BCVxsr7N', 'BTBZMqHH6r4Tts7J_aSIgg'],
    // 65 bytes, and no point of the curve.
    [`BA${'A'.repeat(85)}`, 'BTBZMqHH6r4Tts7J_aSIgg'],
    ['BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', 'BTBZ'],
  ])('keys that are none (%j, %j) are refused for good', (p256dh, auth) => {
    expect(() => encryptPush(Buffer.from('x'), { p256dh, auth })).toThrow(
      expect.objectContaining({ code: 'outgoing.refused' }),
    );
  });
});

describe('keys and contact', () => {
  test('a generated pair has the sizes that browsers want and signs', () => {
    const keys = createVapidKeys();
    expect(Buffer.from(keys.publicKey, 'base64url')).toHaveLength(65);
    expect(Buffer.from(keys.privateKey, 'base64url')).toHaveLength(32);
    expect(new Vapid(keys, 'mailto:ops@example.com').publicKey).toBe(keys.publicKey);
    expect(createVapidKeys().privateKey).not.toBe(keys.privateKey);
  });

  test('damaged keys and a contact that is none are refused at the start', () => {
    const keys = createVapidKeys();
    expect(
      () => new Vapid({ ...keys, publicKey: createVapidKeys().publicKey.slice(0, 40) }, 'mailto:a@b.c'),
    ).toThrow(/damaged/);
    for (const subject of ['', 'ops@example.com', 'http://x.example', 'mailto:a b@c']) {
      expect(() => new Vapid(keys, subject)).toThrow(/write mailto:/);
    }
  });

  test('the contact is what the operator says, else the sender of mail, else a public address', () => {
    const known = { contact: 'mailto:a@x', mailFrom: 'b@x', publicUrl: 'https://x' };
    expect(pushSubject(known)).toBe('mailto:a@x');
    expect(pushSubject({ ...known, contact: undefined })).toBe('mailto:b@x');
    expect(pushSubject({ ...known, contact: undefined, mailFrom: undefined })).toBe('https://x');
    expect(pushSubject({ contact: undefined, mailFrom: undefined, publicUrl: 'http://10.0.0.1' })).toMatch(
      /^mailto:/,
    );
  });
});
