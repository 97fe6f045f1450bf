import { createRequire } from 'node:module';
import { undecodable, type OwnFormat, type OwnPixels } from './own-format.ts';

/** The part of libheif-js that is called here. An answer with a `code` other than the first of its kind is an error. */
interface LibHeif {
  readonly ready?: Promise<unknown>;
  readonly heif_error_code: { readonly heif_error_Ok: unknown };
  readonly heif_colorspace: { readonly heif_colorspace_RGB: unknown };
  readonly heif_chroma: {
    readonly heif_chroma_interleaved_RGB: unknown;
    readonly heif_chroma_interleaved_RGBA: unknown;
  };
  heif_context_alloc(): object;
  heif_context_free(context: object): void;
  heif_context_read_from_memory(context: object, bytes: Uint8Array): HeifError;
  heif_js_context_get_primary_image_handle(context: object): HeifError & object;
  heif_image_handle_get_width(handle: object): number;
  heif_image_handle_get_height(handle: object): number;
  heif_image_handle_has_alpha_channel(handle: object): number;
  heif_image_handle_release(handle: object): void;
  heif_js_decode_image2(handle: object, space: unknown, chroma: unknown): HeifError & DecodedHeif;
  heif_image_release(image: object): void;
}
interface HeifError {
  readonly code?: unknown;
  readonly message?: string;
}
interface DecodedHeif {
  readonly image: object;
  readonly channels: readonly { width: number; height: number; stride: number; data: Uint8Array }[];
}

/** Brands of HEVC in HEIF (ISO/IEC 23008-12, annex B), and those that do not tell how pictures are coded. */
const HEVC_BRANDS = ['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs'];
const OPEN_BRANDS = ['mif1', 'mif2', 'msf1', 'miaf'];
const AV1_BRANDS = ['avif', 'avis'];

/** The brands of a file of boxes: the major one first, then those that it is compatible with. */
function brandsOf(bytes: Uint8Array): string[] {
  const text = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 16 || text(4) !== 'ftyp') return [];
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const brands = [text(8)];
  for (let at = 16; at + 4 <= Math.min(size, bytes.length, 512); at += 4) brands.push(text(at));
  return brands;
}

function isHeic(bytes: Uint8Array): boolean {
  const [major, ...others] = brandsOf(bytes);
  if (major === undefined || AV1_BRANDS.includes(major)) return false;
  if (HEVC_BRANDS.includes(major)) return true;
  return OPEN_BRANDS.includes(major) && !others.some((brand) => AV1_BRANDS.includes(brand));
}

/** Refuses a file whose last box is not all there: libheif would leave what is missing black. */
function refuseCut(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    if (at + 8 > bytes.length) undecodable('The HEIC is cut off between two of its boxes.');
    const short = view.getUint32(at);
    if (short === 0) return; // to the end of the file
    if (short === 1 && at + 16 > bytes.length) undecodable('The HEIC is cut off between two of its boxes.');
    const size = short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    // What is no box, behind those that are, is not the picture's.
    if (size < 8) return;
    if (at + size > bytes.length)
      undecodable(`The HEIC is cut off: it has ${bytes.length} bytes and tells of ${at + size}.`);
    at += size;
  }
}

const PACKAGE = 'libheif-js';
let loaded: Promise<LibHeif> | undefined;

async function loadLibHeif(): Promise<LibHeif> {
  let library: LibHeif;
  try {
    library = createRequire(import.meta.url)(`${PACKAGE}/wasm-bundle`) as LibHeif;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause;
    return undecodable(
      `It is HEIC (HEVC), for which the package ${PACKAGE} is needed: run "npm install ${PACKAGE}" (LGPL-3.0), or convert the file to JPEG.`,
    );
  }
  await library.ready;
  return library;
}

/** The answer of the library, unless it is an error. */
function checked<A extends HeifError>(library: LibHeif, answer: A): A {
  if (answer.code === undefined || answer.code === library.heif_error_code.heif_error_Ok) return answer;
  return undecodable(`libheif does not decode this HEIC: ${answer.message ?? 'it tells no reason'}.`);
}

/** Runs `work` on the primary picture of a file, and frees what the library holds of it. */
async function withPrimary<T>(bytes: Uint8Array, work: (library: LibHeif, handle: object) => T): Promise<T> {
  refuseCut(bytes);
  loaded ??= loadLibHeif();
  loaded.catch(() => (loaded = undefined));
  const library = await loaded;
  const context = library.heif_context_alloc();
  try {
    checked(library, library.heif_context_read_from_memory(context, bytes));
    const handle = checked(library, library.heif_js_context_get_primary_image_handle(context));
    try {
      return work(library, handle);
    } finally {
      library.heif_image_handle_release(handle);
    }
  } finally {
    library.heif_context_free(context);
  }
}

function decodeHandle(library: LibHeif, handle: object): OwnPixels {
  const hasAlpha = library.heif_image_handle_has_alpha_channel(handle) !== 0;
  const { heif_chroma_interleaved_RGB: rgb, heif_chroma_interleaved_RGBA: rgba } = library.heif_chroma;
  const space = library.heif_colorspace.heif_colorspace_RGB;
  const decoded = checked(library, library.heif_js_decode_image2(handle, space, hasAlpha ? rgba : rgb));
  try {
    const { width, height, stride, data: lines } = decoded.channels[0]!;
    const channels = hasAlpha ? 4 : 3;
    const data = new Uint8Array(width * height * channels);
    const line = width * channels;
    for (let y = 0; y < height; y++) data.set(lines.subarray(y * stride, y * stride + line), y * line);
    return { data, width, height, channels };
  } finally {
    library.heif_image_release(decoded.image);
  }
}

/**
 * HEIC, the pictures of iPhones, by libheif as WebAssembly: an optional package under LGPL-3.0, loaded on use. Rotation
 * and mirroring (irot, imir) are done by it; EXIF's orientation repeats them and does not count. Levels differ
 * from other decoders by 0.1 to 0.8 in the mean, 18 at most: probably its WebAssembly leaves HEVC's deblocking out.
 */
export const HEIC: OwnFormat = {
  name: 'HEIC',
  extension: '.heic',
  isOne: isHeic,
  header: (bytes) =>
    withPrimary(bytes, (library, handle) => ({
      width: library.heif_image_handle_get_width(handle),
      height: library.heif_image_handle_get_height(handle),
      orientation: 1,
      hasAlpha: library.heif_image_handle_has_alpha_channel(handle) !== 0,
    })),
  pixels: (bytes) => withPrimary(bytes, decodeHandle),
};
