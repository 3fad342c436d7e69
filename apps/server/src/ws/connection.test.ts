import { jsonProtocol } from '@nowcast/contract';
import { describe, expect, test } from 'vitest';
import { Connection, type Sink } from './connection.ts';
import { flowLimits } from './flow-control.ts';

class SlowPeer implements Sink {
  readonly written: string[] = [];
  writableLength = 0;
  readonly destroyed = false;
  ended = false;

  write(bytes: Uint8Array): void {
    this.written.push(Buffer.from(bytes).toString());
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {}
}

function connect(): { peer: SlowPeer; connection: Connection } {
  const peer = new SlowPeer();
  return { peer, connection: new Connection(peer, jsonProtocol, 0, 0, 0) };
}

describe('C20: what a peer is told that reads nothing', () => {
  test('waits, the newest of each matter, and comes in order and before anything else once it reads', () => {
    const { peer, connection } = connect();
    const say = (about: string, text: string) => connection.say(about, Buffer.from(text), 0);
    expect(say('a', 'a0')).toBe(0);
    peer.writableLength = flowLimits.bufferedBytes + 1;
    for (let i = 1; i <= 1000; i++) expect(say('a', `a${i}`)).toBe(1);
    expect(say('b', 'b1')).toBe(2);
    expect(say('a', 'last of a')).toBe(2);
    expect(peer.written).toEqual(['a0']);

    peer.writableLength = 0;
    connection.write(Buffer.from('frame'), 1);
    expect(peer.written).toEqual(['a0', 'b1', 'last of a', 'frame']);
    expect(say('a', 'directly')).toBe(0);
    expect(peer.written.at(-1)).toBe('directly');
  });

  test('keeps its order when the buffer is half empty again', () => {
    const { peer, connection } = connect();
    peer.writableLength = flowLimits.bufferedBytes + 1;
    connection.say('a', Buffer.from('first'), 0);
    peer.writableLength = flowLimits.bufferedBytes;
    connection.say('b', Buffer.from('second'), 0);
    connection.flush();
    expect(peer.written).toEqual(['first', 'second']);
  });

  test('is forgotten when the connection has ended meanwhile', () => {
    const { peer, connection } = connect();
    peer.writableLength = flowLimits.bufferedBytes + 1;
    connection.say('a', Buffer.from('too late'), 0);
    connection.closed = true;
    connection.flush();
    expect(connection.say('b', Buffer.from('later still'), 0)).toBe(0);
    expect(peer.written).toEqual([]);
  });
});
