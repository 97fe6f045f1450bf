/** What was dropped: files to take, and a sentence on each folder and on what in it is not taken. */
export interface Dropped {
  readonly files: readonly File[];
  readonly remarks: readonly string[];
}

/** Names that a folder's file must have to be taken; what is dropped by itself is taken whatever its name. */
const IMAGE_NAME = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif|svg|bmp|dib|p[pgbn]m|hei[cf]|hif|jxl|jp2)$/i;

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** All entries of a folder: a browser gives them a hundred at a time, and none when it is done. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of some) entries.push(entry);
  }
}

/** The images of a folder at any depth, and how many other files it has; hidden ones do not count. */
async function imagesOf(folder: FileSystemDirectoryEntry): Promise<{ images: File[]; others: number }> {
  const found = { images: [] as File[], others: 0 };
  for (const entry of await entriesOf(folder)) {
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory) {
      const inner = await imagesOf(entry as FileSystemDirectoryEntry);
      for (const image of inner.images) found.images.push(image);
      found.others += inner.others;
    } else if (IMAGE_NAME.test(entry.name)) found.images.push(await fileOf(entry as FileSystemFileEntry));
    else found.others++;
  }
  return found;
}

async function readFolder(folder: FileSystemDirectoryEntry): Promise<Dropped> {
  try {
    const { images, others } = await imagesOf(folder);
    const passed = others === 0 ? '' : ` ${others} other ${others === 1 ? 'file is' : 'files are'} left out.`;
    const remark =
      images.length === 0
        ? `The folder ${folder.name} holds no image.${passed}`
        : others > 0
          ? `The folder ${folder.name} holds ${images.length} ${images.length === 1 ? 'image' : 'images'}.${passed}`
          : undefined;
    return { files: images, remarks: remark === undefined ? [] : [remark] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { files: [], remarks: [`The folder ${folder.name} cannot be read: ${reason}`] };
  }
}

/** The files of a drop, those in folders too. Call it at once in the event: the browser forgets what was dropped. */
export async function droppedFiles(transfer: DataTransfer): Promise<Dropped> {
  const parts = [...transfer.items]
    .filter(({ kind }) => kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files: File[] = [];
  const remarks: string[] = [];
  for (const { entry, file } of parts) {
    if (entry?.isDirectory === true) {
      const inside = await readFolder(entry as FileSystemDirectoryEntry);
      for (const image of inside.files) files.push(image);
      remarks.push(...inside.remarks);
    } else if (file !== null) files.push(file);
  }
  if (parts.length === 0) remarks.push('What was dropped is no file: save the image and drop the file.');
  return { files, remarks };
}
