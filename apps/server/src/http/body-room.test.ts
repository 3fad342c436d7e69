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
    bodies[0]!.leave();
    bodies[0]!.leave();
    room.enter('b', 8 * mebibyte);
    expect(() => room.enter('b', 17 * 1024)).toThrow(busy);
  });

  test('who has no other body on its way may send one, until all is full', () => {
    const room = new BodyRoom();
    for (let i = 0; i < 4; i++) room.enter('a', 16 * mebibyte);
    for (let i = 0; i < 11; i++) room.enter(`b${i}`, 16 * mebibyte);
    const growing = room.enter('c', 17 * 1024);
    growing.resize(16 * mebibyte);
    expect(() => room.enter('c', 17 * 1024)).toThrow(busy);
    expect(() => room.enter('d', 17 * 1024)).toThrow(busy);
    growing.leave();
    room.enter('d', 17 * 1024);
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
