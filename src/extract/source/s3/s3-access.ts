import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { PermafrostError } from '../../../core/errors.ts';
import { lanes } from '../../../core/lanes.ts';
import { requireReadable, unreadable } from '../image-source.ts';
import { s3Text, type S3Address } from './address.ts';
import type { ObjectFacts } from './object-stamp.ts';
import { bodyBytes, BrokenBody } from './s3-body.ts';
import { s3Client, type ListedPage } from './s3-client.ts';
import { s3Error, type AskedOfS3 } from './s3-errors.ts';

/** Requests at once. */
const AT_ONCE = 32;
/** Times that an object is asked for whose answer broke off; the SDK itself repeats requests that were refused. */
const READINGS = 4;
/** Times that an object is written while another write of it is under way. */
const CONFLICTS = 8;

/** An object in a listing. */
export interface ListedObject extends ObjectFacts {
  readonly key: string;
}

/** How an object is read. */
export interface ReadObjectOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes `from` to `to`, that one included. Default: all. */
  readonly range?: { readonly from: number; readonly to: number };
  /** The object is read only while it has this ETag. */
  readonly etag?: string | undefined;
  /** True for what is no image, and may have any size. */
  readonly isLarge?: boolean;
}

/**
 * What is asked of S3, of images and of stores. Everything throws DATASET_UNREACHABLE (credentials, region, clock,
 * network), DATASET_NOT_FOUND (no such bucket), and INTERRUPTED after a signal; of one object IMAGE_UNREADABLE.
 */
export interface S3Access {
  /** All objects whose keys begin with that of the address, a page at a time, each key as it is. */
  list(address: S3Address): AsyncGenerator<readonly ListedObject[]>;
  facts(address: S3Address): Promise<ObjectFacts>;
  read(address: S3Address, options?: ReadObjectOptions): Promise<Buffer>;
  /**
   * Writes an object whole. With `ifAbsent` only where there is none: false where there is one, which may be this very
   * one, written by a request whose answer was lost. Throws STORE_WRITE in place of IMAGE_UNREADABLE.
   */
  write(address: S3Address, bytes: Uint8Array, options?: { readonly ifAbsent?: boolean }): Promise<boolean>;
  /** Removes an object; one that is not there is gone already. */
  remove(address: S3Address): Promise<void>;
  close(): void;
}

/** The objects of a page; where the storage wrote keys as in a URL, as they are. */
function objectsOf({ Contents = [], EncodingType }: ListedPage): ListedObject[] {
  const decoded = (key: string): string =>
    EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', '%20')) : key;
  return Contents.map(({ Key = '', Size = 0, ETag, LastModified }) => ({
    // Of its own: else each key keeps the text of the whole page in memory.
    key: Buffer.from(decoded(Key)).toString(),
    size: Size,
    etag: ETag,
    changedMs: LastModified?.getTime() ?? 0,
  }));
}

/** Opens S3 as the environment says (s3Client). Throws PACKAGE_MISSING, OPTION_INVALID. */
export async function openS3(): Promise<S3Access> {
  const { sdk, client, at } = await s3Client();
  const inLane = lanes(AT_ONCE);

  /** What the SDK answers, its errors in words. */
  async function asked<T>(
    address: S3Address,
    verb: AskedOfS3['verb'],
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await inLane(work);
    } catch (error) {
      if (signal?.aborted === true)
        throw new PermafrostError('INTERRUPTED', `Interrupted while ${s3Text(address)} was ${verb}.`, { cause: error });
      if (error instanceof BrokenBody)
        unreadable(`${s3Text(address)} was asked for ${READINGS} times: ${error.message}.`, error);
      throw s3Error(error, { place: s3Text(address), at, verb });
    }
  }

  async function readOnce({ bucket, key }: S3Address, options: ReadObjectOptions): Promise<Buffer> {
    const { signal, range, etag, isLarge = false } = options;
    const answer = await client.send(
      new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(range && { Range: `bytes=${range.from}-${range.to}` }),
        ...(etag !== undefined && { IfMatch: etag }),
      }),
      signal && { abortSignal: signal },
    );
    const body = answer.Body as unknown as Readable;
    try {
      if (!isLarge) requireReadable(answer.ContentLength ?? 0);
      return await bodyBytes(body, answer.ContentLength, signal);
    } finally {
      body.destroy();
    }
  }

  return {
    async *list(address) {
      const { bucket: Bucket, key: Prefix } = address;
      let token: string | undefined;
      do {
        const page = await asked(address, 'listed', undefined, () =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket,
              Prefix,
              EncodingType: 'url',
              ...(token && { ContinuationToken: token }),
            }),
          ),
        );
        yield objectsOf(page);
        const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        if (page.IsTruncated === true && (next === undefined || next === token))
          throw new PermafrostError(
            'DATASET_UNREACHABLE',
            `${s3Text(address)} cannot be listed: ${at} says that there is more, and not where it goes on.`,
          );
        token = next;
      } while (token !== undefined);
    },
    facts: (address) =>
      asked(address, 'read', undefined, async () => {
        const { bucket: Bucket, key: Key } = address;
        const { ContentLength, ETag, LastModified } = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }));
        return { size: ContentLength ?? 0, etag: ETag, changedMs: LastModified?.getTime() ?? 0 };
      }),
    read: (address, options = {}) =>
      asked(address, 'read', options.signal, async () => {
        for (let reading = 1; ; reading++) {
          try {
            return await readOnce(address, options);
          } catch (error) {
            if (!(error instanceof BrokenBody) || reading === READINGS || options.signal?.aborted === true) throw error;
            await delay(100 * 2 ** reading, undefined, options.signal && { signal: options.signal });
          }
        }
      }),
    write: ({ bucket: Bucket, key: Key }, bytes, { ifAbsent = false } = {}) =>
      asked({ bucket: Bucket, key: Key }, 'written', undefined, async () => {
        const condition = ifAbsent ? { IfNoneMatch: '*' } : {};
        for (let attempt = 1; ; attempt++) {
          try {
            await client.send(new sdk.PutObjectCommand({ Bucket, Key, Body: bytes, ...condition }));
            return true;
          } catch (error) {
            const { name } = error as Error;
            if (ifAbsent && name === 'PreconditionFailed') return false;
            // Another write of the same object is under way: whether it came to be is known when it has ended.
            if (name !== 'ConditionalRequestConflict' || attempt === CONFLICTS) throw error;
            await delay(50 * 2 ** attempt);
          }
        }
      }),
    remove: ({ bucket: Bucket, key: Key }) =>
      asked({ bucket: Bucket, key: Key }, 'written', undefined, async () => {
        await client.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
      }),
    close: () => client.destroy(),
  };
}
