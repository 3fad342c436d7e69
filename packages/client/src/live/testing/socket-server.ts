import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@nowcast/kernel';
import { type WebSocket, WebSocketServer } from 'ws';
import { SimulatedServer, type SimulatedSocket } from './simulated-server.ts';

/** The simulated server behind a real port: what it queues goes out at once over real sockets. */
export class SocketServer {
  readonly logic = new SimulatedServer(systemClock);
  #http: Server | undefined;
  #port = 0;
  readonly #open = new Map<WebSocket, SimulatedSocket>();

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens on a free port; the second time on the same one. */
  async start(): Promise<void> {
    const http = createServer();
    const sockets = new WebSocketServer({ server: http, path: '/updates' });
    sockets.on('connection', (socket) => this.#accept(socket));
    await new Promise<void>((resolve) => {
      http.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (http.address() as AddressInfo).port;
    this.#http = http;
  }

  publish(metric: string, bucket: number, value: number): void {
    this.logic.publish(metric, bucket, value);
    this.#flush();
  }

  /** Resets every connection, as a cable pulled out would. */
  breakConnections(): void {
    for (const [socket, peer] of this.#open) {
      peer.close();
      socket.terminate();
    }
    this.#open.clear();
  }

  closeConnections(code: number, reason: string): void {
    for (const [socket, peer] of this.#open) {
      peer.close();
      socket.close(code, reason);
    }
    this.#open.clear();
  }

  async stop(): Promise<void> {
    this.breakConnections();
    const http = this.#http;
    this.#http = undefined;
    http?.closeAllConnections();
    await new Promise((resolve) => {
      if (http === undefined) resolve(undefined);
      else http.close(resolve);
    });
  }

  #accept(socket: WebSocket): void {
    const peer = this.logic.connect(socket.protocol);
    this.#open.set(socket, peer);
    peer.onEnd = (code) => socket.close(code);
    socket.on('message', (data: Buffer) => {
      this.logic.receive(peer, data.toString());
      this.#flush();
    });
    socket.on('close', () => {
      peer.close();
      this.#open.delete(socket);
    });
    this.logic.accept();
    this.#flush();
  }

  #flush(): void {
    for (const [socket, peer] of this.#open)
      for (const data of peer.queue.splice(0)) socket.send(data as string | ArrayBuffer);
  }
}
