import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { debianPackages } from '../harness/cache.ts';
import { type BenchServer, freePort, startPeer } from '../harness/server-process.ts';

export interface Netdata extends BenchServer {
  /** Sends a gauge to its StatsD port: a datagram, which nobody acknowledges. */
  send(name: string, value: number): Promise<void>;
}

/** Debian's Netdata with its page, collecting once a second as it does by default; without its cloud and its alarms. */
export async function startNetdata(): Promise<Netdata> {
  const root = debianPackages('netdata', ['netdata-core', 'netdata-web']);
  const statsd = await freePort();
  const server = await startPeer('netdata', (folder, port) => {
    const config = join(folder, 'netdata.conf');
    writeFileSync(config, configuration(root, folder, statsd));
    const args = ['-D', '-c', config, '-i', '127.0.0.1', '-p', String(port)];
    return { file: join(root, 'usr/sbin/netdata'), args };
  });
  const socket = createSocket('udp4');
  return {
    ...server,
    destroy() {
      socket.close();
      return server.destroy();
    },
    send: (name, value) =>
      new Promise((resolve, reject) => {
        socket.send(`${name}:${value}|g`, statsd, '127.0.0.1', (error) =>
          error === null ? resolve() : reject(error),
        );
      }),
  };
}

function configuration(root: string, folder: string, statsd: number): string {
  const { username: user } = userInfo();
  return `[global]
  run as user = ${user}
[directories]
  config = ${folder}
  stock config = ${join(root, 'usr/lib/netdata/conf.d')}
  log = ${folder}
  cache = ${folder}
  lib = ${folder}
  home = ${folder}
  plugins = ${join(root, 'usr/lib/netdata/plugins.d')}
  web = ${join(root, 'usr/share/netdata/web')}
[db]
  mode = ram
[health]
  enabled = no
[ml]
  enabled = no
[web]
  web files owner = ${user}
  web files group = ${user}
[statsd]
  bind to = udp:127.0.0.1:${statsd}
  create private charts for metrics matching = *
`;
}
