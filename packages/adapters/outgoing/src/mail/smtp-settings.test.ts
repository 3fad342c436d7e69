import { describe, expect, test } from 'vitest';
import { readSmtpSettings, type SmtpOptions } from './smtp-settings.ts';

const read = (options: Partial<SmtpOptions>) =>
  readSmtpSettings({
    url: undefined,
    password: undefined,
    passwordFile: undefined,
    from: 'alerts@example.com',
    allowPlain: false,
    ...options,
  });

describe('how mail leaves', () => {
  test('nothing given: no mail', () => {
    expect(read({ from: undefined })).toBeUndefined();
  });

  test('smtp is STARTTLS on 587, smtps is TLS on 465, unless the address names a port', () => {
    expect(read({ url: 'smtp://mail.example.com' })).toMatchObject({
      host: 'mail.example.com',
      port: 587,
      implicitTls: false,
      plainAllowed: false,
      from: { name: 'Nowcast', address: 'alerts@example.com' },
    });
    expect(read({ url: 'smtps://mail.example.com' })).toMatchObject({ port: 465, implicitTls: true });
    expect(read({ url: 'smtp://[2a00::1]:2525' })).toMatchObject({ host: '2a00::1', port: 2525 });
  });

  test('plain text is for this machine, or where the operator says so', () => {
    for (const host of ['localhost', '127.0.0.1', '127.8.8.8', '[::1]']) {
      expect(read({ url: `smtp://${host}:25` })).toMatchObject({ plainAllowed: true });
    }
    for (const host of ['127.example.com', 'localhost.example.com', '10.0.0.1', 'mail']) {
      expect(read({ url: `smtp://${host}` })).toMatchObject({ plainAllowed: false });
    }
    expect(read({ url: 'smtp://mail', allowPlain: true })).toMatchObject({ plainAllowed: true });
  });

  test('user and password come together, escapes in the address are read', () => {
    expect(read({ url: 'smtp://ann%40example.com@mail', password: 'canary' })).toMatchObject({
      user: 'ann@example.com',
      password: 'canary',
    });
  });

  test('a sender may have a name', () => {
    for (const from of ['Ops Team <a@example.com>', '"Ops Team" <a@example.com>']) {
      expect(read({ url: 'smtp://mail', from })?.from).toEqual({
        name: 'Ops Team',
        address: 'a@example.com',
      });
    }
  });

  test.each([
    [{ url: 'mail.example.com:587' }, /write for example smtp:/],
    [{ url: 'http://mail' }, /write for example smtp:/],
    [{ url: 'smtp://mail/path' }, /write for example smtp:/],
    [{ url: 'smtp://ann:canary@mail' }, /NOWCAST_SMTP_PASSWORD/],
    [{ url: 'smtp://ann@mail' }, /user ann without a password/],
    [{ url: 'smtp://mail', password: 'canary' }, /password without a user/],
    [{ url: 'smtp://ann@mail', passwordFile: '/nowhere/at/all' }, /cannot be read \(ENOENT\)/],
    [{ url: 'smtp://mail', from: undefined }, /--mail-from is missing/],
    [{ url: 'smtp://mail', from: 'nobody' }, /--mail-from is "nobody"/],
    [{ url: 'smtp://mail', from: 'a@b.c\r\nBcc: d@e.f' }, /--mail-from/],
    [{ url: 'smtp://mail', from: 'x\r\ny <a@b.c>' }, /--mail-from/],
    [{ url: undefined }, /needs --smtp-url/],
  ])('%j is refused with what to change, without a password', (options, message) => {
    expect(() => read(options)).toThrow(message);
    expect(() => read(options)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('canary') }),
    );
  });
});
