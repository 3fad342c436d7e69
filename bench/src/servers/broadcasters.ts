import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { debianPackages, goProgram, hasGo, nativeProgram, npmPackages } from '../harness/cache.ts';
import { type BenchServer, startPeer } from '../harness/server-process.ts';
import type { ViewerOptions } from '../harness/viewers.ts';

/** A server that sends the same message to all its viewers at a fixed rate. */
export interface Broadcaster extends BenchServer {
  /** How its viewers connect. */
  viewers: Omit<ViewerOptions, 'connections'>;
}

export interface Broadcast {
  bytes: number;
  hz: number;
}

type Start = (of: Broadcast) => Promise<Broadcaster>;

export interface BroadcastPeer {
  start: Start;
  inNode: boolean;
}

/** The floor: a loop over `send()` in C that asks for acknowledgements and reads them as Nowcast does. */
const startFloor: Start = async ({ bytes, hz }) => {
  const server = await startPeer('floor', (_, port) => ({
    file: nativeProgram('floor'),
    args: [String(port), String(bytes), String(hz)],
  }));
  return { ...server, viewers: { mode: 'nowcast', port: server.port } };
};

const startNode =
  (which: 'ws' | 'socket.io'): Start =>
  async ({ bytes, hz }) => {
    const modules = npmPackages('broadcast', ['ws@8.23.0', 'socket.io@4.8.4']);
    const server = await startPeer(which, (_, port) => ({
      file: process.execPath,
      args: [join(import.meta.dirname, 'broadcast-server.ts'), which, modules, port, bytes, hz].map(String),
    }));
    const path = which === 'ws' ? '/' : '/socket.io/?EIO=4&transport=websocket';
    return { ...server, viewers: { mode: which, port: server.port, path } };
  };

const startNchan: Start = async (of) => {
  const root = debianPackages('nginx', ['nginx-light', 'libnginx-mod-nchan', 'nginx']);
  // nchan makes a location of its own, which has none of the paths below but those that were compiled in.
  mkdirSync('/var/lib/nginx', { recursive: true });
  const server = await startPeer('nchan', (folder, port) => {
    writeFileSync(
      join(folder, 'nginx.conf'),
      `load_module ${root}/usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1; worker_rlimit_nofile 65536;
events { worker_connections 32768; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /sub { nchan_subscriber websocket; nchan_channel_id bench; }
    location = /pub { nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1; }
  }
}`,
    );
    return { file: join(root, 'usr/sbin/nginx'), args: ['-p', folder, '-c', join(folder, 'nginx.conf')] };
  });
  const message = 'x'.repeat(of.bytes);
  const url = `http://127.0.0.1:${server.port}/pub`;
  const stop = every(of.hz, () => void fetch(url, { method: 'POST', body: message }).catch(() => undefined));
  return {
    ...stopping(server, stop),
    viewers: { mode: 'ws', port: server.port, path: '/sub' },
  };
};

const startNats: Start = async (of) => {
  const server = await startPeer('nats-server', (_, port) => ({
    file: goProgram('github.com/nats-io/nats-server/v2', 'v2.15.3'),
    args: ['-a', '127.0.0.1', '-p', String(port)],
  }));
  const publisher = connect(server.port, '127.0.0.1');
  publisher.on('error', () => undefined);
  publisher.resume();
  publisher.write('CONNECT {"verbose":false}\r\n');
  const message = `PUB bench ${of.bytes}\r\n${'x'.repeat(of.bytes)}\r\n`;
  const stop = every(of.hz, () => publisher.write(message));
  return { ...stopping(server, stop), viewers: { mode: 'nats', port: server.port } };
};

export const floor: BroadcastPeer = { start: startFloor, inNode: false };

/** Peers by name; nats-server only where Go can build it. */
export function broadcastPeers(): Record<string, BroadcastPeer> {
  return {
    ws: { start: startNode('ws'), inNode: true },
    'socket.io': { start: startNode('socket.io'), inNode: true },
    nchan: { start: startNchan, inNode: false },
    ...(hasGo() ? { 'nats-server': { start: startNats, inNode: false } } : {}),
  };
}

/** Calls at a rate; what a busy machine missed is left out, not made up for. Returns what ends it. */
export function every(hz: number, call: () => void): () => void {
  const gap = 1000 / hz;
  let due = performance.now();
  let timer: NodeJS.Timeout;
  const next = () => {
    call();
    const now = performance.now();
    due = Math.max(due + gap, now - gap);
    timer = setTimeout(next, Math.max(0, due - now));
  };
  next();
  return () => clearTimeout(timer);
}

function stopping(server: BenchServer, stop: () => void): BenchServer {
  return {
    ...server,
    destroy: async () => {
      stop();
      await server.destroy();
    },
  };
}
