/** Puts several messages on their way at once; the buffers are given away. */
export type Post<Message> = (messages: Message[], transfer: ArrayBuffer[]) => void;

/** So that the other side begins while this one is still at it. */
const mostAtOnce = 16;

/**
 * What a thread has to say to another one, sent together: putting a message on its way and taking it in costs more than
 * reading a small request, and a server of many small ones has a dozen at a time. Their order stays as it is, and one
 * that cannot be copied keeps back no other.
 */
export class Outbox<Message> {
  readonly #post: Post<Message>;
  readonly #soon: (send: () => void) => void;
  readonly #refused: (message: Message, error: unknown) => void;
  #messages: Message[] = [];
  #transfers: (readonly ArrayBuffer[])[] = [];

  /**
   * `soon` calls what it is given when the work at hand, which may have more to say, is done; `refused` hears of a
   * message that cannot be sent, and why.
   */
  constructor(
    post: Post<Message>,
    soon: (send: () => void) => void,
    refused: (message: Message, error: unknown) => void,
  ) {
    this.#post = post;
    this.#soon = soon;
    this.#refused = refused;
  }

  push(message: Message, transfer: readonly ArrayBuffer[] = []): void {
    this.#transfers.push(transfer);
    const length = this.#messages.push(message);
    if (length === mostAtOnce) this.#send();
    else if (length === 1) this.#soon(() => this.#send());
  }

  #send(): void {
    if (this.#messages.length === 0) return;
    const [messages, transfers] = [this.#messages, this.#transfers];
    [this.#messages, this.#transfers] = [[], []];
    try {
      this.#post(messages, transfers.flat());
    } catch {
      // A post that fails has sent nothing and given nothing away, so all of it can be said again.
      for (const [i, message] of messages.entries()) this.#sendAlone(message, transfers[i] ?? []);
    }
  }

  #sendAlone(message: Message, transfer: readonly ArrayBuffer[]): void {
    try {
      this.#post([message], [...transfer]);
    } catch (error) {
      this.#refused(message, error);
    }
  }
}
