import { useState } from 'preact/hooks';
import type { TaughtClass } from '../api/studio-data.ts';
import { addresses } from '../api/api.ts';
import { Camera } from './camera.tsx';
import { DropZone } from './drop-zone.tsx';
import { plural } from './parts.tsx';

/** Images that are shown of a class until all are asked for. */
const SHOWN = 12;

/** One class: its name, its images, and three ways to give it more. */
export function TaughtClassCard({
  taught,
  busy,
  add,
  remark,
  rename,
  remove,
  removeImage,
}: {
  taught: TaughtClass;
  busy: boolean;
  add: (pictures: readonly { blob: Blob; name: string; take?: string }[]) => Promise<void>;
  /** Gets what of a drop was not taken. */
  remark: (text: string | null) => void;
  rename: (name: string) => void;
  remove: () => void;
  removeImage: (id: number) => void;
}) {
  const [camera, setCamera] = useState(false);
  const [all, setAll] = useState(false);
  const [editing, setEditing] = useState<string | null>(null);
  const { name, images } = taught;
  const shown = all ? images : images.slice(-SHOWN);
  return (
    <li class="card" aria-label={`Class ${name}`}>
      <div class="bar-top">
        <h3>
          {name} <span class="small">{plural(images.length, 'image')}</span>
        </h3>
        <div class="pager">
          <button type="button" onClick={() => setEditing(editing === null ? name : null)}>
            Rename<span class="out"> {name}</span>
          </button>
          <button type="button" onClick={remove}>
            Delete<span class="out"> {name}</span>
          </button>
        </div>
      </div>
      {editing !== null && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            rename(editing);
            setEditing(null);
          }}
        >
          <label>
            New name
            <input value={editing} onInput={({ currentTarget }) => setEditing(currentTarget.value)} />
          </label>
          <button type="submit">Rename it</button>
        </form>
      )}
      <DropZone
        label={`Add images to ${name}`}
        busy={busy}
        take={(files) => void add(files.map((file) => ({ blob: file, name: file.name })))}
        remark={remark}
      />
      {camera ? (
        <Camera
          label={name}
          close={() => setCamera(false)}
          take={(blob, take) => add([{ blob, name: 'camera.jpg', take }])}
        />
      ) : (
        <button type="button" onClick={() => setCamera(true)}>
          Use the camera<span class="out"> for {name}</span>
        </button>
      )}
      <ul class="thumbs" aria-label={`Images of ${name}`}>
        {shown.map((image, i) => (
          <li key={image.id}>
            <img src={addresses.taught(image.sha256)} alt="" width="72" height="72" loading="lazy" />
            <button type="button" title={image.name} onClick={() => removeImage(image.id)}>
              ✕
              <span class="out">
                Delete image {images.length - shown.length + i + 1} of {name}: {image.name}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {images.length > SHOWN && (
        <button type="button" onClick={() => setAll(!all)}>
          {all ? 'Show the last ones' : `Show all ${images.length}`}
        </button>
      )}
    </li>
  );
}
