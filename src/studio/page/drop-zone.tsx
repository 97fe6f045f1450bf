import { useRef, useState } from 'preact/hooks';
import { droppedFiles } from './dropped-files.ts';

/**
 * Takes images by dropping them or folders of them, by a file dialog, and (one zone of a page) by pasting. `remark`
 * gets a sentence on what of a drop was not taken, null where all was.
 */
export function DropZone({
  label,
  take,
  remark,
  busy,
}: {
  label: string;
  take: (files: readonly File[]) => void;
  remark: (text: string | null) => void;
  busy: boolean;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  async function drop(transfer: DataTransfer): Promise<void> {
    const { files, remarks } = await droppedFiles(transfer);
    remark(remarks.length > 0 ? remarks.join(' ') : null);
    if (files.length > 0) take(files);
  }
  return (
    <div
      class={over ? 'drop over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer !== null) void drop(event.dataTransfer);
      }}
    >
      <button type="button" onClick={() => input.current?.click()} disabled={busy}>
        {label}
      </button>
      <span class="small">or drop {busy ? '(at work…)' : 'images or a folder here'}</span>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label={label}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          remark(null);
          if (files.length > 0) take(files);
          event.currentTarget.value = '';
        }}
      />
    </div>
  );
}
