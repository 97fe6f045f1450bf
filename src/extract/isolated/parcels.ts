/** What goes from one process to another: plain data, and bytes beside it. */
export interface Parcel<Content> {
  readonly content: Content;
  readonly bytes: Uint8Array;
}

/** For what fits into a message. */
export const NO_BYTES = new Uint8Array();

interface Head<Content> {
  readonly content: Content;
  /** Bytes that follow, in messages of their own. */
  readonly length: number;
}

/** Bytes of a message: one of more than 512 MiB ends the channel (Node 20.20), and each is copied a few times. */
const PART_BYTES = 2 ** 26;

/** Sends a parcel by a channel that takes messages. */
export function sendParcel(send: (message: object) => void, content: unknown, bytes: Uint8Array): void {
  send({ content, length: bytes.length } satisfies Head<unknown>);
  for (let at = 0; at < bytes.length; at += PART_BYTES) send(bytes.subarray(at, at + PART_BYTES));
}

/** Puts parcels together again: takes message after message, and gives a parcel with the one that completes it. */
export function parcelsFrom<Content>(): (message: unknown) => Parcel<Content> | undefined {
  let content: Content;
  let bytes = new Uint8Array();
  let filled = 0;
  return (message) => {
    if (message instanceof Uint8Array) {
      bytes.set(message, filled);
      filled += message.length;
    } else {
      const head = message as Head<Content>;
      content = head.content;
      bytes = new Uint8Array(head.length);
      filled = 0;
    }
    return filled < bytes.length ? undefined : { content, bytes };
  };
}
