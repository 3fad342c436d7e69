/** The sketch columns of states that have none. */
export const noSketches = {
  ddOffsets: new Uint32Array(0),
  ddIndex: new Int32Array(0),
  ddCount: new Float64Array(0),
  hllOffsets: new Uint32Array(0),
  hllRegister: new Uint16Array(0),
  hllRank: new Uint8Array(0),
};
