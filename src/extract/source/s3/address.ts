import { PermafrostError } from '../../../core/errors.ts';

/** An object, or what begins with its key, in S3 or in a storage that speaks as S3 does. Keys are as they stand. */
export interface S3Address {
  readonly bucket: string;
  /** '' for the bucket itself. */
  readonly key: string;
}

/** The root of images in several buckets: paths relative to it begin with a bucket. */
export const ALL_BUCKETS = 's3://';

/** Whether a data set or an image is named by an address s3://bucket/key. */
export const isS3Address = (text: string): boolean => /^s3:\/\//i.test(text);

/** Names of buckets (docs.aws.amazon.com, "General purpose bucket naming rules"), and of access points by alias. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

/** Reads an address; what stands behind the bucket is the key, unchanged: `%20` is no blank. Throws OPTION_INVALID. */
export function parseS3Address(text: string): S3Address {
  const rest = text.slice(ALL_BUCKETS.length);
  const slash = rest.indexOf('/');
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  if (!isS3Address(text) || !BUCKET.test(bucket))
    throw new PermafrostError(
      'OPTION_INVALID',
      `${JSON.stringify(text)} is no address of S3: expected s3://bucket/key, with a bucket of 1 to 63 letters, digits, dots and hyphens.`,
    );
  return { bucket, key: slash < 0 ? '' : rest.slice(slash + 1) };
}

export const s3Text = ({ bucket, key }: S3Address): string => `${ALL_BUCKETS}${bucket}/${key}`;

/** The address of what a path below a root means. */
export const belowS3 = (root: string, path: string): string => (root === ALL_BUCKETS ? root + path : `${root}/${path}`);

/** The root of a data set that is named by a prefix: without the one slash that ends it. */
export const s3Root = (where: string): string => ALL_BUCKETS + where.slice(ALL_BUCKETS.length).replace(/\/$/, '');
