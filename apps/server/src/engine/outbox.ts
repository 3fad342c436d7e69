/** Puts several messages on their way at once; the buffers are given away. */
export type Post<Message> = (messages: Message[], transfer: ArrayBuffer[]) => void;

/** So that the other side begins while this one is still at it. */
const mostAtOnce = 16;

/**
 * What a thread has to say to another one, sent together: putting a message on its way and taking it in costs more than
 * reading a small request, and a server of many small ones has a dozen at a time. Their order stays as it is.
 */
export class Outbox<Message> {
  readonly #post: Post<Message>;
  readonly #soon: (send: () => void) => void;
  #messages: Message[] = [];
  #transfer: ArrayBuffer[] = [];

  /** `soon` calls what it is given when the work at hand, which may have more to say, is done. */
  constructor(post: Post<Message>, soon: (send: () => void) => void) {
    this.#post = post;
    this.#soon = soon;
  }

  push(message: Message, transfer: readonly ArrayBuffer[] = []): void {
    this.#transfer.push(...transfer);
    const length = this.#messages.push(message);
    if (length === mostAtOnce) this.#send();
    else if (length === 1) this.#soon(() => this.#send());
  }

  #send(): void {
    if (this.#messages.length === 0) return;
    const [messages, transfer] = [this.#messages, this.#transfer];
    [this.#messages, this.#transfer] = [[], []];
    this.#post(messages, transfer);
  }
}
