import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameParser, ProtocolError } from './frame-parser.ts';
import { closeFrame, messageFrame } from './frames.ts';

/** A frame as a client sends it. */
function clientFrame(opcode: number, payload: Uint8Array, final = true, mask = [1, 2, 3, 4]): Uint8Array {
  const { length } = payload;
  const head =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0x80 | 126, length >> 8, length & 0xff]
        : [
            0x80 | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >>> 16) & 0xff,
            (length >>> 8) & 0xff,
            length & 0xff,
          ];
  const masked = payload.map((byte, i) => byte ^ mask[i & 3]!);
  return Uint8Array.from([(final ? 0x80 : 0) | opcode, ...head, ...mask, ...masked]);
}

function collector(maxBytes = 64 * 1024) {
  const seen: string[] = [];
  const handler = {
    onText: (peer: string, text: Uint8Array) => seen.push(`${peer}text ${Buffer.from(text).toString()}`),
    onPing: (peer: string, payload: Uint8Array) =>
      seen.push(`${peer}ping ${Buffer.from(payload).toString()}`),
    onPong: (peer: string) => seen.push(`${peer}pong`),
    onClose: (peer: string, code: number) => seen.push(`${peer}close ${code}`),
  };
  const parser = new FrameParser(maxBytes, handler, '');
  return { seen, parser };
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const joined = (frames: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(frames.flatMap((frame) => [...frame]));

describe('receiving', () => {
  test('whatever the messages, fragments and pieces they arrive in, the same texts come out', () => {
    const message = fc.record({
      text: fc.string({ unit: 'binary', maxLength: 300 }),
      cuts: fc.array(fc.nat(300)),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 90 })),
        (messages, steps) => {
          const frames: Uint8Array[] = [];
          for (const { text, cuts } of messages) {
            const bytes = utf8(text);
            const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
            const parts = [...ends, bytes.length].map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
            parts.forEach((part, i) => {
              frames.push(clientFrame(i === 0 ? 1 : 0, part, i === parts.length - 1));
              // Control frames may come between fragments.
              if (i < parts.length - 1) frames.push(clientFrame(9, utf8('p')));
            });
          }
          const stream = joined(frames);
          const { seen, parser } = collector();
          let at = 0;
          for (let i = 0; at < stream.length; i++) {
            const step = steps.length === 0 ? stream.length : steps[i % steps.length]!;
            // As a socket's Buffer, whose block is used again afterwards: nothing may be left in it.
            const chunk = Buffer.from(stream.subarray(at, at + step));
            parser.push(chunk);
            chunk.fill(0);
            at += step;
          }
          expect(seen.filter((line) => line !== 'ping p')).toEqual(
            messages.map(({ text }) => `text ${Buffer.from(utf8(text)).toString()}`),
          );
        },
      ),
    );
  });

  test('arbitrary bytes end in a protocol error or in nothing, never in anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const { parser } = collector(100);
        try {
          parser.push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });

  test('a 64-bit length, control frames, and a close with its code', () => {
    const { seen, parser } = collector(100_000);
    const long = 'x'.repeat(70_000);
    parser.push(clientFrame(1, utf8(long)));
    parser.push(clientFrame(9, utf8('are you there')));
    parser.push(clientFrame(10, utf8('')));
    parser.push(clientFrame(8, Uint8Array.of(0x0f, 0xa1, 0x62, 0x79, 0x65)));
    parser.push(clientFrame(1, utf8('after')));
    expect(seen).toEqual([`text ${long}`, 'ping are you there', 'pong', 'close 4001']);
  });

  test.each([
    ['an unmasked frame', Uint8Array.of(0x81, 0x01, 0x61), 1002],
    ['reserved bits', Uint8Array.of(0xc1, 0x80, 0, 0, 0, 0), 1002],
    ['an unknown opcode', clientFrame(3, utf8('')), 1002],
    ['an unknown control opcode', clientFrame(11, utf8('')), 1002],
    ['a fragmented ping', clientFrame(9, utf8(''), false), 1002],
    ['a long ping', clientFrame(9, new Uint8Array(126)), 1002],
    ['a continuation of nothing', clientFrame(0, utf8('a')), 1002],
    [
      'a message inside a message',
      joined([clientFrame(1, utf8('a'), false), clientFrame(1, utf8('b'))]),
      1002,
    ],
    ['a binary message', clientFrame(2, utf8('a')), 1003],
    ['text that is not UTF-8', clientFrame(1, Uint8Array.of(0xc3, 0x28)), 1007],
    ['a close code of one byte', clientFrame(8, Uint8Array.of(3)), 1002],
    ['a close code nobody may send', clientFrame(8, Uint8Array.of(0x03, 0xed)), 1002],
  ])('%s is refused', (_name, bytes, code) => {
    const { parser } = collector();
    expect(() => parser.push(bytes)).toThrow(expect.objectContaining({ closeCode: code }));
  });

  test('C20: a message above the cap is refused by its header, before its bytes are waited for', () => {
    const { parser } = collector(1000);
    expect(() => parser.push(clientFrame(1, new Uint8Array(1001)).subarray(0, 8))).toThrow(
      expect.objectContaining({ closeCode: 1009 }),
    );
  });

  test('C20: fragments count together', () => {
    const { parser } = collector(1000);
    parser.push(clientFrame(1, new Uint8Array(600).fill(97), false));
    expect(() => parser.push(clientFrame(0, new Uint8Array(401).fill(97)))).toThrow(
      expect.objectContaining({ closeCode: 1009 }),
    );
  });
});

describe('sending', () => {
  test.each([0, 125, 126, 65_535, 65_536])('a message of %i bytes has the right header', (length) => {
    const frame = messageFrame('binary', new Uint8Array(length));
    const short = frame[1]!;
    const [head, said] =
      short < 126
        ? [2, short]
        : short === 126
          ? [4, frame.readUInt16BE(2)]
          : [10, frame.readUInt32BE(2) * 2 ** 32 + frame.readUInt32BE(6)];
    expect({ first: frame[0], said, total: frame.length }).toEqual({
      first: 0x82,
      said: length,
      total: head + length,
    });
  });

  test('a close reason is cut between characters', () => {
    const frame = closeFrame(4401, 'ü'.repeat(100));
    expect(frame.length).toBeLessThanOrEqual(127);
    expect(frame.subarray(4).toString('utf8')).toBe('ü'.repeat(61));
  });
});
