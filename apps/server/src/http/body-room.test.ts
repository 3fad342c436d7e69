import { describe, expect, test } from 'vitest';
import { BodyRoom } from './body-room.ts';

const mebibyte = 1024 * 1024;
const busy = expect.objectContaining({ code: 'ingest.busy', retryable: true }) as Error;

describe('the room for bodies', () => {
  test('a tenant has as much of it as it leaves: alone a half, then a half of the rest', () => {
    const room = new BodyRoom();
    const bodies = Array.from({ length: 4 }, () => room.enter('a', 16 * mebibyte));
    expect(() => room.enter('a', 17 * 1024)).toThrow(busy);
    for (let i = 0; i < 2; i++) room.enter('b', 16 * mebibyte);
    expect(() => room.enter('b', 17 * 1024)).toThrow(busy);
    room.enter('c', 16 * mebibyte);
    expect(() => room.enter('d', 16 * mebibyte + 1)).toThrow(busy);
    bodies[0]!.leave();
    bodies[0]!.leave();
    expect(() => room.enter('a', 17 * 1024)).toThrow(busy);
    room.enter('d', 16 * mebibyte + 1);
  });

  test('small bodies come in although others fill it', () => {
    const room = new BodyRoom();
    for (let i = 0; i < 4; i++) room.enter('a', 16 * mebibyte);
    for (let i = 0; i < 10_000; i++) room.enter('a', 16 * 1024);
  });

  test('a body that grows keeps what it has where it may not grow, and gives all of it back', () => {
    const room = new BodyRoom();
    const first = room.enter('a', 0);
    first.resize(60 * mebibyte);
    const second = room.enter('a', 3 * mebibyte);
    expect(() => second.resize(8 * mebibyte)).toThrow(busy);
    expect(() => room.enter('a', 3 * mebibyte)).toThrow(busy);
    room.enter('a', mebibyte);
    first.leave();
    second.resize(8 * mebibyte);
  });
});
