/**
 * History of the live wire. The hash covers the schemas of what clients send and the bytes and JSON of fixed examples
 * of what servers send (version.test.ts): a change of either fails the test until a line is added here, which is the
 * moment to decide whether old clients still understand it. If they do not, the subprotocol name changes too.
 */
export const wireHistory: readonly { version: number; sha256: string; change: string }[] = [
  {
    version: 1,
    sha256: '05fcad18346f4f07bc84a6b0d820b3b8628a058f651d361aed1653b59cedd8c8',
    change: 'first version: nowcast.v1 and nowcast.v1.json',
  },
  {
    version: 2,
    sha256: '1607f56b68bbc4a86d5767467e4acaef95d46f42e8917fde64e9967f35d3f37f',
    change:
      'subscribe: a label of `where` takes several conditions, {all: […]}; what old clients send means the same',
  },
  {
    version: 3,
    sha256: 'b9824a3a8c825420c1b8566dec0a509650c01dcc34b9dcc9fbf95d9e21ec7228',
    change: 'follow, following and event: what happens beside views; who does not follow gets none of it',
  },
];
