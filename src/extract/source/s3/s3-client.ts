import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type * as Sdk from '@aws-sdk/client-s3';

/** Attempts of a request that failed for a reason that passes (503, timeouts), the waits growing between them. */
const ATTEMPTS = 5;
const CONNECT_MS = 10_000;
/** A storage that says nothing for so long does not answer. */
const SILENCE_MS = 60_000;

async function loadSdk(): Promise<typeof Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `What lies at s3:// is read by the package @aws-sdk/client-s3, which does not load: ${reasonOf(cause)}. Install it beside permafrost: npm install @aws-sdk/client-s3`,
      { cause },
    );
  }
}

/** A switch in the environment; undefined where it is not set. Throws OPTION_INVALID. */
function switchIn(name: string): boolean | undefined {
  const value = process.env[name];
  if (value === undefined || value === '') return undefined;
  if (/^(1|true)$/i.test(value)) return true;
  if (/^(0|false)$/i.test(value)) return false;
  throw new PermafrostError('OPTION_INVALID', `${name} is ${JSON.stringify(value)}, expected 1 or 0.`);
}

/** The host that the environment names as the storage; undefined for Amazon's own. Throws OPTION_INVALID. */
function namedHost(): string | undefined {
  const { AWS_ENDPOINT_URL_S3: own, AWS_ENDPOINT_URL: all } = process.env;
  const [name, text] = own ? ['AWS_ENDPOINT_URL_S3', own] : ['AWS_ENDPOINT_URL', all];
  if (!text) return undefined;
  if (!URL.canParse(text) || !/^https?:/.test(text))
    throw new PermafrostError(
      'OPTION_INVALID',
      `${name} is no address as http://127.0.0.1:9000 or https://storage.example.org.`,
    );
  const { host } = new URL(text);
  return /(^|\.)amazonaws\.com(\.cn)?(:\d+)?$/i.test(host) ? undefined : host;
}

/** A page of a listing. */
export type ListedPage = Sdk.ListObjectsV2CommandOutput;

/** A client of the SDK, the SDK itself, and what messages call the storage. */
export interface S3Client {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  readonly at: string;
}

/**
 * A client by what the SDK itself reads: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_MAX_ATTEMPTS, and its chain
 * of credentials. Of permafrost are PERMAFROST_S3_PATH_STYLE=1 or 0 (buckets in the path of the address; default: 1
 * where the endpoint named there is not Amazon's) and PERMAFROST_S3_ANONYMOUS=1 (requests without credentials). Throws
 * PACKAGE_MISSING, OPTION_INVALID.
 */
export async function s3Client(): Promise<S3Client> {
  const host = namedHost();
  const pathStyle = switchIn('PERMAFROST_S3_PATH_STYLE') ?? host !== undefined;
  const anonymous = switchIn('PERMAFROST_S3_ANONYMOUS') ?? false;
  const sdk = await loadSdk();
  const config: Sdk.S3ClientConfig = {
    forcePathStyle: pathStyle,
    ...(process.env.AWS_MAX_ATTEMPTS === undefined && { maxAttempts: ATTEMPTS }),
    // Checksums that only Amazon asks for are refused by older storages.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
    ...(anonymous && {
      credentials: { accessKeyId: '', secretAccessKey: '' },
      signer: { sign: (request) => Promise.resolve(request) },
    }),
  };
  let client = new sdk.S3Client(config);
  const hasRegion = await client.config.region().then(
    () => true,
    () => false,
  );
  if (!hasRegion) {
    client.destroy();
    // What Amazon answers from; other storages mostly take any. Of a bucket elsewhere the answer names its region.
    client = new sdk.S3Client({ ...config, region: 'us-east-1' });
  }
  return { sdk, client, at: host ?? 'Amazon S3' };
}
