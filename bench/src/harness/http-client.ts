import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });

export interface Answer {
  body: string;
  /** From sending the request to the last byte of the answer. */
  ms: number;
}

/** GET over a connection that is kept, which costs a third of what `fetch` does. Throws unless the answer is a 200. */
export function get(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const sent = request({ agent, port, host: '127.0.0.1', path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const ms = performance.now() - began;
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve({ body, ms });
        else reject(new Error(`${path} was answered by ${response.statusCode}: ${body.slice(0, 500)}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}
