import { useEffect, useRef, useState } from 'preact/hooks';
import { sentenceOf } from './ask.ts';
import { ProblemLine } from './parts.tsx';

/** Pause between two pictures, in milliseconds: about as long as the network takes for one. */
const PAUSE_MS = 250;
const QUALITY = 0.92;

/**
 * The camera of this machine: one picture, or one after the other until stopped. `take` gets each with the name of its
 * take (pictures of one press show about the same) and is awaited before the next.
 */
export function Camera({
  label,
  take,
  close,
}: {
  label: string;
  take: (picture: Blob, takeName: string) => Promise<void>;
  close: () => void;
}) {
  const video = useRef<HTMLVideoElement>(null);
  const running = useRef(false);
  const [ready, setReady] = useState(false);
  const [on, setOn] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    let stream: MediaStream | undefined;
    let left = false;
    navigator.mediaDevices
      .getUserMedia({ video: { width: { ideal: 640 }, height: { ideal: 480 } }, audio: false })
      .then(async (found) => {
        stream = found;
        if (left || video.current === null) return;
        video.current.srcObject = found;
        await video.current.play();
        setReady(true);
      })
      .catch((error: unknown) => {
        if (!left) setProblem(`The camera cannot be used: ${sentenceOf(error)}`);
      })
      .finally(() => {
        if (left) stream?.getTracks().forEach((track) => track.stop());
      });
    return () => {
      left = true;
      running.current = false;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);

  async function picture(takeName: string): Promise<void> {
    const source = video.current!;
    const canvas = document.createElement('canvas');
    canvas.width = source.videoWidth;
    canvas.height = source.videoHeight;
    canvas.getContext('2d')!.drawImage(source, 0, 0);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
    if (blob !== null) await take(blob, takeName);
  }
  async function many(): Promise<void> {
    if (running.current) {
      running.current = false;
      return;
    }
    running.current = true;
    setOn(true);
    const takeName = crypto.randomUUID();
    while (running.current) {
      await picture(takeName);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    setOn(false);
  }

  return (
    <div class="camera">
      <video ref={video} muted playsInline aria-label={`${label}: what the camera sees`} />
      <div class="pager">
        <button type="button" disabled={!ready || on} onClick={() => void picture(crypto.randomUUID())}>
          Take a picture
        </button>
        <button type="button" disabled={!ready} aria-pressed={on} onClick={() => void many()}>
          {on ? 'Stop' : 'Take one after the other'}
        </button>
        <button type="button" onClick={close}>
          Close the camera
        </button>
      </div>
      <ProblemLine text={problem} />
    </div>
  );
}
