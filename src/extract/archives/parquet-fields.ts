/** A column of a Parquet file, as far as it matters here. */
export interface ParquetField {
  readonly name: string;
  readonly kind: 'bytes' | 'text' | 'number' | 'struct' | 'other';
  /** Of a struct: its fields. */
  readonly fields: readonly ParquetField[];
}

/** A feature as Hugging Face's `datasets` describes it in the file's metadata. */
interface Feature {
  readonly _type?: unknown;
  readonly names?: unknown;
}

/** The columns that are read. */
export interface ImageColumns {
  readonly image: string;
  /** The column is a struct {bytes, path}, else bytes alone. */
  readonly isStruct: boolean;
  /** Bytes and name of an image; undefined for a struct that has no path. */
  readonly hasPath: boolean;
  readonly label: string | undefined;
  /** The names of the classes 0, 1, ..., where the file gives them. */
  readonly classNames: readonly string[] | undefined;
  readonly split: string | undefined;
  readonly warnings: readonly string[];
}

const LABELS = ['label', 'labels', 'class', 'cls', 'category', 'target'];
const IMAGES = ['image', 'img', 'jpg', 'bytes', 'picture', 'photo'];

const hasBytes = ({ kind, fields }: ParquetField): boolean =>
  kind === 'bytes' || (kind === 'struct' && fields.some((field) => field.name === 'bytes' && field.kind === 'bytes'));

/** The features that `datasets` wrote into the metadata of a file; none where it is of another program. */
export function featuresIn(huggingface: string | undefined): ReadonlyMap<string, Feature> {
  if (huggingface === undefined) return new Map();
  const { info } = JSON.parse(huggingface) as { info?: { features?: Record<string, Feature | null> | null } | null };
  return new Map(
    Object.entries(info?.features ?? {}).flatMap(([name, feature]) => (feature === null ? [] : [[name, feature]])),
  );
}

/** The first of `wanted` names that is among some, in any case of letters; else the only one of these. */
function chosen(names: readonly string[], wanted: readonly string[]): string | undefined {
  for (const word of wanted) {
    const found = names.find((name) => name.toLowerCase() === word);
    if (found !== undefined) return found;
  }
  return names.length === 1 ? names[0] : undefined;
}

/**
 * Chooses the columns of image, label and split: by the features that `datasets` wrote, else by types and usual names.
 * Throws an Error with the reason where there is no image, or it is not clear which of several columns it is.
 */
export function imageColumns(fields: readonly ParquetField[], features: ReadonlyMap<string, Feature>): ImageColumns {
  const typed = (type: string): string[] =>
    fields.map(({ name }) => name).filter((name) => features.get(name)?._type === type);
  const list = fields.map(({ name }) => name).join(', ');
  const holders = fields.filter(hasBytes).map(({ name }) => name);
  const declared = typed('Image').filter((name) => holders.includes(name));
  const images = declared.length > 0 ? declared : holders;
  if (images.length === 0)
    throw new Error(
      `has no column with the bytes of images, as {bytes, path} or bytes alone (columns: ${list}). Where it holds addresses, img2dataset saves their images in tar archives`,
    );
  const image = chosen(images, IMAGES);
  if (image === undefined)
    throw new Error(
      `has several columns of images (${images.join(', ')}): call the one that is to be classified image`,
    );
  const warnings: string[] = [];
  const others = images.filter((name) => name !== image);
  if (others.length > 0)
    warnings.push(`The images of the column ${image} are used, not those of ${others.join(', ')}.`);
  const namesOf = (name: string): string[] | undefined => {
    const names = features.get(name)?.names;
    return Array.isArray(names) ? names.map(String) : undefined;
  };
  const usual = fields.filter(({ kind }) => kind === 'text' || kind === 'number').map(({ name }) => name);
  const classes = typed('ClassLabel');
  const finest = [...classes].sort((a, b) => (namesOf(b)?.length ?? 0) - (namesOf(a)?.length ?? 0))[0];
  const named = usual.filter((name) => LABELS.includes(name.toLowerCase()));
  const label = classes.length > 0 ? (chosen(classes, LABELS) ?? finest) : chosen(named, LABELS);
  if (classes.length > 1) warnings.push(`The columns ${classes.join(' and ')} hold classes; ${label} is used.`);
  const { kind, fields: inner } = fields.find(({ name }) => name === image)!;
  return {
    image,
    isStruct: kind === 'struct',
    hasPath: inner.some((field) => field.name === 'path' && field.kind === 'text'),
    label,
    classNames: label === undefined ? undefined : namesOf(label),
    split: fields.find((field) => field.name.toLowerCase() === 'split' && field.kind === 'text')?.name,
    warnings,
  };
}
