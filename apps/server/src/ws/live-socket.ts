import { Socket, type SocketConstructorOpts } from 'node:net';

/** What every socket is read into; nobody keeps it beyond the call it is handed over in. */
const block = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A viewer's socket, taken over from the HTTP server. Node reads ordinary sockets into a fresh 64 KB block each time and hands
 * it through a readable stream: for four thousand acknowledgements of 30 bytes a second that is a quarter of what fan-out
 * costs. A socket that is given its own block when it is made skips both, but the HTTP server makes its sockets itself; so this
 * is a second socket on the first one's handle, and the first is left empty.
 */
class LiveSocket extends Socket {
  viewer: Viewer | undefined;

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.viewer?.onDestroy();
    super._destroy(error, callback);
  }
}

/** Whose socket it is. */
export interface Viewer {
  /** What arrives, in memory that is used again afterwards. */
  onBytes(bytes: Uint8Array): void;
  /** From here on the descriptor is closed and may be somebody else's. */
  onDestroy(): void;
}

/** Node names a descriptor nowhere else. */
interface Handle {
  fd?: number;
}

/** `handle` is how Node itself makes a socket of a connection that is already there. */
type HandleOptions = Omit<SocketConstructorOpts, 'handle'> & { handle: Handle };
/** What of a socket Node's types do not name: the connection, and the server that counts it. */
interface Inside {
  _handle: Handle | null;
  _server: unknown;
}

/**
 * The socket to use from here on, and its descriptor: -1 where it does not carry bytes as they are. Who waits for the old
 * one's `close` is told by the new one. Under TLS the handle is not the connection, and the socket stays as it is.
 */
export function takeOver(socket: Socket, viewer: Viewer): { socket: Socket; fd: number } {
  const from = socket as unknown as Inside;
  if ('encrypted' in socket || from._handle === null) {
    socket.on('data', (bytes: Buffer) => viewer.onBytes(bytes));
    return { socket, fd: -1 };
  }
  const options: HandleOptions = {
    handle: from._handle,
    onread: { buffer: block, callback: takeBytes },
  };
  from._handle = null;
  const live = new LiveSocket(options as object);
  live.viewer = viewer;
  (live as unknown as Inside)._server = from._server;
  from._server = null;
  for (const listener of socket.listeners('close')) live.once('close', listener as () => void);
  return { socket: live, fd: options.handle.fd ?? -1 };
}

/** One function for all of them: Node calls it on the socket. */
function takeBytes(this: LiveSocket, count: number, bytes: Uint8Array): boolean {
  this.viewer?.onBytes(bytes.subarray(0, count));
  return true;
}
