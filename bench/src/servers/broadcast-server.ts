import { createServer } from 'node:http';
import { createRequire } from 'node:module';

/**
 * Sends one message to every viewer at a fixed rate, by `ws` or by Socket.IO as their manuals show it.
 * Arguments: which, the folder that has them, port, bytes, Hz.
 */
const [which = '', folder = '', port, bytes, hz] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const server = createServer();

/** The parts of both that are used here; neither is a dependency of this repository. */
interface Ws {
  WebSocketServer: new (options: { server: typeof server; perMessageDeflate: boolean }) => {
    clients: Set<{ send(data: Buffer): void }>;
  };
}
interface SocketIo {
  Server: new (server_: typeof server, options: object) => { emit(name: string, data: string): void };
}

function sender(): () => void {
  if (which === 'ws') {
    const { clients } = new (require(which) as Ws).WebSocketServer({ server, perMessageDeflate: false });
    const message = Buffer.alloc(Number(bytes), 'x');
    return () => {
      for (const client of clients) client.send(message);
    };
  }
  const io = new (require(which) as SocketIo).Server(server, { transports: ['websocket'] });
  // Its envelope is `42["m","…"]`: nine bytes.
  const message = 'x'.repeat(Number(bytes) - 9);
  return () => io.emit('m', message);
}

setInterval(sender(), 1000 / Number(hz));
server.listen(Number(port), '127.0.0.1', 4096);
