import { createServer } from 'node:http';

/** Reads the body of each request, forgets it, answers 204. Its argument is the port. */
createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(204).end());
}).listen(Number(process.argv[2]), '127.0.0.1');
