/** Folders that systems and their file managers make, in lower case. No person put pictures there as data. */
const SYSTEM_FOLDERS: ReadonlySet<string> = new Set([
  // Synology, QNAP, NetApp and other network storage: thumbnails, recycle bins, snapshots.
  ...['@eadir', '#recycle', '#snapshot', '@recycle', '@recently-snapshot', '@sharebin', '@sharesnap', '@tmp'],
  ...['@__thumb', '~snapshot', 'network trash folder', 'network recycle bin', '@synoeastream', '@synoresource'],
  // Windows.
  ...['$recycle.bin', 'recycler', 'recycled', 'system volume information', 'thumbs', 'thumbnails'],
  // Linux and Android.
  ...['lost+found', 'lost.dir'],
  // macOS, also inside archives and on shares.
  ...['__macosx', 'temporary items'],
]);

/** What fsck and chkdsk leave: found.000. */
const RECOVERED = /^found\.\d{3}$/;

/** permafrost's own stores, which may lie beside the classes. */
export const isStoreName = (name: string): boolean => name.endsWith('.permafrost');

/** Hidden files and folders: .ipynb_checkpoints, .Trash-1000, .DS_Store, ._photo.jpg. */
export const isHiddenName = (name: string): boolean => name.startsWith('.');

/** Whether a folder of this name belongs to the system, whatever lies in it. */
export function isSystemFolder(name: string): boolean {
  const lower = name.toLowerCase();
  return SYSTEM_FOLDERS.has(lower) || RECOVERED.test(lower);
}
