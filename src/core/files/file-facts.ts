import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** What a file is: its length and the lower-case hex SHA-256 of its bytes. */
export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

/** Length and digest of a file of any size, over the 2 GiB too that can be read at once. Throws what reading throws. */
export async function factsOfFile(path: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
