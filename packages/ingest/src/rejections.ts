/** What could not be kept of a request: the first hundred with their reason, the rest counted. */
export interface Rejection {
  /** Line number − 1 of line protocol and NDJSON, position in the array of JSON. */
  index: number;
  code: string;
  message: string;
}

const listed = 100;

export class Rejections {
  readonly list: Rejection[] = [];
  count = 0;

  add(index: number, code: string, message: string): void {
    this.count++;
    if (this.list.length < listed) this.list.push({ index, code, message });
  }
}
