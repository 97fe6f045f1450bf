import { PermafrostError, reasonOf, type ErrorCode } from '../../../core/errors.ts';

/** What an error of the SDK may say beside its name and message. */
interface ToldByS3 {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly Region?: string;
}

interface Meaning {
  readonly code: ErrorCode;
  /** What to do. */
  readonly advice: string;
}

const object = (advice: string): Meaning => ({ code: 'IMAGE_UNREADABLE', advice });
const storage = (advice: string): Meaning => ({ code: 'DATASET_UNREACHABLE', advice });

const CREDENTIALS =
  'These credentials are not of this storage. Check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL_S3.';
const EXPIRED = 'The credentials have expired. Renew them (such as by "aws sso login") and run the same command again.';
const NO_BUCKET: Meaning = {
  code: 'DATASET_NOT_FOUND',
  advice: 'Check the name of the bucket, and AWS_ENDPOINT_URL_S3 where the storage is not Amazon S3.',
};
const GONE = object('There is no such object. Keys are taken as they stand: "%20" is no blank.');
const DENIED = object(
  'The credentials may not: they need s3:GetObject on what is read, s3:PutObject and s3:DeleteObject on what is written, and s3:ListBucket on the bucket.',
);
const ELSEWHERE = storage('The bucket lies in another region. Set AWS_REGION to it');
const NO_ANSWER = storage(
  'The storage does not answer, or not in time. Check the network and AWS_ENDPOINT_URL_S3, and run the same command again: what was extracted is kept.',
);

/** By the names of S3's errors ("Error responses", docs.aws.amazon.com/AmazonS3) and those of the SDK. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchBucket: NO_BUCKET,
  InvalidBucketName: NO_BUCKET,
  NoSuchKey: GONE,
  NotFound: GONE,
  AccessDenied: DENIED,
  Forbidden: DENIED,
  InvalidObjectState: object('It is archived. Restore it (such as by "aws s3api restore-object") before it is read.'),
  PreconditionFailed: object('It changed while it was read. Run again when it is at rest.'),
  InvalidAccessKeyId: storage(CREDENTIALS),
  SignatureDoesNotMatch: storage(CREDENTIALS),
  InvalidToken: storage(CREDENTIALS),
  // So versitygw calls an access key that it does not know.
  XAdminUserNotFound: storage(CREDENTIALS),
  InvalidClientTokenId: storage(CREDENTIALS),
  ExpiredToken: storage(EXPIRED),
  ExpiredTokenException: storage(EXPIRED),
  TokenRefreshRequired: storage(EXPIRED),
  CredentialsProviderError: storage(
    'No credentials were found where the AWS SDK looks for them. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a public bucket PERMAFROST_S3_ANONYMOUS=1.',
  ),
  RequestTimeTooSkewed: storage("The clock of this machine differs from the storage's by too much. Set it right."),
  PermanentRedirect: ELSEWHERE,
  AuthorizationHeaderMalformed: ELSEWHERE,
  IllegalLocationConstraintException: ELSEWHERE,
};

function meaningOf({ name = '', $metadata }: ToldByS3, verb: AskedOfS3['verb']): Meaning {
  if (Object.hasOwn(MEANINGS, name)) return MEANINGS[name]!;
  const status = $metadata?.httpStatusCode;
  if (status === undefined || status >= 500 || status === 429) return NO_ANSWER;
  if (status === 301) return ELSEWHERE;
  if (status === 403) return DENIED;
  if (status === 404) return verb === 'read' ? GONE : NO_BUCKET;
  return object('Check that it can be read in another way (such as by "aws s3 cp").');
}

/** The code of what S3 says of one object, by what was asked. */
const OF_ONE_OBJECT = { read: 'IMAGE_UNREADABLE', listed: 'DATASET_UNREACHABLE', written: 'STORE_WRITE' } as const;

/** What S3 is asked. */
export interface AskedOfS3 {
  /** The address that is read or listed. */
  readonly place: string;
  /** The storage, for messages. */
  readonly at: string;
  readonly verb: keyof typeof OF_ONE_OBJECT;
}

/**
 * An error of the SDK in words: what is wrong with one object is IMAGE_UNREADABLE; a bucket that is not there
 * DATASET_NOT_FOUND; credentials, region, clock or network DATASET_UNREACHABLE. It holds no credentials.
 */
export function s3Error(error: unknown, { place, at, verb }: AskedOfS3): PermafrostError {
  if (error instanceof PermafrostError) return error;
  const told = (typeof error === 'object' && error !== null ? error : {}) as ToldByS3;
  const { code, advice } = meaningOf(told, verb);
  const region = told.Region ?? told.$response?.headers?.['x-amz-bucket-region'];
  const words = advice === ELSEWHERE.advice ? `${advice}${region === undefined ? '' : `: ${region}`}.` : advice;
  const name = told.name ?? 'Error';
  const status = told.$metadata?.httpStatusCode;
  const attempts = told.$metadata?.attempts ?? 1;
  const said = [
    name,
    ...(told.code !== undefined && told.code !== name ? [told.code] : []),
    ...(status === undefined ? [] : [status]),
  ];
  const tries = attempts > 1 ? `, after ${attempts} attempts` : '';
  // The whole error holds the request, and with it the key's name and the signature.
  const cause = new Error(`${name}: ${reasonOf(error)}`);
  return new PermafrostError(
    // What is said of one object is no fault of an image where it is no image that is asked for.
    code === 'IMAGE_UNREADABLE' ? OF_ONE_OBJECT[verb] : code,
    `${place} cannot be ${verb}: ${at} said ${said.join(' ')} (${reasonOf(error)})${tries}. ${words}`,
    { cause },
  );
}
