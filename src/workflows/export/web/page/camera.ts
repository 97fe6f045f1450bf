import type { WebAnswer, WebClassifier } from './classifier.ts';

/** Shows what the camera sees in `video`, and `tell`s what the head says of it, until `signal`. */
export async function watch(
  classifier: WebClassifier,
  video: HTMLVideoElement,
  tell: (answer: WebAnswer) => void,
  signal: AbortSignal,
): Promise<void> {
  if (!isSecureContext) throw new Error('browsers allow it only where the page is opened by https, or on this machine');
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: 'environment' },
    audio: false,
  });
  try {
    video.srcObject = stream;
    await video.play();
    while (!signal.aborted) {
      const answer = await classifier.predict(video);
      if (!signal.aborted) tell(answer);
    }
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
